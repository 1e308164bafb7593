-- The hour after an hour. Immutable, as timestamptz plus an interval is not, so that a plan for a known hour leaves out
-- all other days.
create or replace function hour_after(in_hour timestamptz)
returns timestamptz
language sql immutable parallel safe
as $$
    select ($1 at time zone 'UTC' + interval '1 hour') at time zone 'UTC'
$$;
