-- How many users were there in a day, by the day when they were first seen.
-- Rows: one per first day and day (first, day, users).
select first, day, uniqExact(user_id) as users
from (
    select user_id, day, min(day) over (partition by user_id) as first
    from (
        select distinct user_id, toDate(timestamp) as day
        from bench.events
        where user_id is not null
    )
)
group by first, day
settings max_threads = 2
