-- The events of a bucket if it is the quarter that begins so many minutes after a full hour, else 0: summed, a column of
-- hourly_counts.
create or replace function events_in(minutes integer, bucket timestamptz, events bigint)
returns bigint
language sql immutable parallel safe
as $$
    -- Not `hour + interval`, which is not immutable to PostgreSQL: a call for each row, instead of none.
    select case when $2 - hour_of($2) = $1 * interval '1 minute' then $3 else 0 end
$$;
