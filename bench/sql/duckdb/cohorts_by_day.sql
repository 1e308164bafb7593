-- How many users were there in a day, by the day when they were first seen.
-- $file: of all events
-- Rows: one per first day and day (first, day, users).
with active as (
    select distinct user_id, time_bucket(interval '1 day', timestamp) as day
    from read_parquet($file)
    where user_id is not null
),
first_seen as (
    select user_id, day, min(day) over (partition by user_id) as first
    from active
)
select first, day, count(*) as users
from first_seen
group by all
