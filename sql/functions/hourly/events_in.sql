-- `events` if the bucket begins `minutes` after the full hour, else 0. The sum over the buckets of an hour is one
-- column of hourly_counts.
create or replace function events_in(minutes integer, bucket timestamptz, events bigint)
returns bigint
language sql immutable parallel safe
as $$
    -- Not `hour + interval`: PostgreSQL does not take that for immutable, and would call this function for each row
    -- instead of inlining it.
    select case when $2 - hour_of($2) = $1 * interval '1 minute' then $3 else 0 end
$$;
