-- An hour as amendments name it: YYYY-MM-DDThh:mmZ.
create or replace function hour_text(hour timestamptz)
returns text
language sql stable parallel safe
as $$
    select to_char($1 at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')
$$;
