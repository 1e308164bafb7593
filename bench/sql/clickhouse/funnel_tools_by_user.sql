-- How deep users get in a funnel of 3 tools.
-- Rows: one per depth (depth, runs, steps: depth times runs).
select depth, count() as runs, depth * count() as steps
from (
    select
        user_id,
        windowFunnel(86400000000)(
            toUInt64(toUnixTimestamp64Micro(timestamp)),
            tool_name = 'Home', tool_name = 'Search', tool_name = 'Reader'
        ) as depth
    from bench.events
    where user_id is not null and tool_name in ('Home', 'Search', 'Reader')
    group by user_id
)
where depth > 0
group by depth
settings max_threads = 2
