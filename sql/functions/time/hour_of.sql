-- Start of the UTC hour of a moment, in any time zone of the session.
create or replace function hour_of(moment timestamptz)
returns timestamptz
language sql immutable parallel safe
as $$
    select date_bin('1 hour', $1, '2000-01-01 00:00:00+00')
$$;
