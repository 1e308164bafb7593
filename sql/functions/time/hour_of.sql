-- Start of the UTC hour that holds a moment, whatever the session's time zone is.
create or replace function hour_of(moment timestamptz)
returns timestamptz
language sql immutable parallel safe
as $$
    select date_bin('1 hour', $1, '2000-01-01 00:00:00+00')
$$;
