-- The events of a bucket if it begins `minutes` after a full hour, else 0. The sum is a column of hourly_counts.
create or replace function events_in(minutes integer, bucket timestamptz, events bigint)
returns bigint
language sql immutable parallel safe
as $$
    -- `hour + interval` is not immutable to PostgreSQL, which would then call this for each row instead of inlining it.
    select case when $2 - hour_of($2) = $1 * interval '1 minute' then $3 else 0 end
$$;
