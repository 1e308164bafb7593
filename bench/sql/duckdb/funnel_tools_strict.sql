-- The depths of the deepest runs of sessions whose steps are 3 tools in events that follow each other directly.
-- $file: of all events
-- Rows: one per depth (depth, runs, steps: depth times runs).
with followed as (
    select
        session,
        timestamp,
        tool_name,
        lead(tool_name, 1) over by_time as second,
        lead(tool_name, 2) over by_time as third,
        lead(timestamp, 1) over by_time <= timestamp + interval '24 hours' as second_in_time,
        lead(timestamp, 2) over by_time <= timestamp + interval '24 hours' as third_in_time
    from read_parquet($file)
    window by_time as (partition by session order by timestamp, position)
),
deepest as (
    select
        max(
            case
                when second = 'Search' and third = 'Reader' and third_in_time then 3
                when second = 'Search' and second_in_time then 2
                else 1
            end
        ) as depth
    from followed
    where tool_name = 'Home'
    group by session
)
select depth, count(*) as runs, depth * count(*) as steps
from deepest
group by depth
