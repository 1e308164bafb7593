-- The JSON text of a scalar_value. Equal numbers have one text: 1 and 1.0 are both 1.
create or replace function scalar_text(value jsonb)
returns text
language sql immutable parallel safe
as $$
    select case when jsonb_typeof($1) = 'number' then trim_scale(($1 #>> '{}')::numeric)::text else $1::text end collate "C"
$$;
