-- The depths of the runs that begin with each user's first possible event; the steps are 3 tools.
-- $file: of all events
-- Rows: one per depth (depth, runs, steps: depth times runs).
with events as (
    select user_id as actor, timestamp, tool_name = 'Home' as is_1, tool_name = 'Search' as is_2, tool_name = 'Reader' as is_3
    from read_parquet($file)
    where tool_name in ('Home', 'Search', 'Reader') and user_id is not null
),
gathered as (
    select
        actor,
        min(timestamp) filter (is_1) as step_1,
        list(timestamp) filter (is_2) as seconds,
        list(timestamp) filter (is_3) as thirds
    from events
    group by actor
),
second_steps as (
    select step_1, thirds, list_min(list_filter(seconds, lambda t: t >= step_1)) as step_2
    from gathered
    where step_1 is not null
),
runs as (
    select step_1, step_2, list_min(list_filter(thirds, lambda t: t >= step_2)) as step_3
    from second_steps
),
depths as (
    select
        case
            when step_3 <= step_1 + interval '24 hours' then 3
            when step_2 <= step_1 + interval '24 hours' then 2
            else 1
        end as depth
    from runs
)
select depth, count(*) as runs, depth * count(*) as steps
from depths
group by depth
