-- How deep sessions get in a funnel of 3 tools when nothing else may happen in between.
-- Rows: one per depth (depth, runs, steps: depth times runs).
select depth, count() as runs, depth * count() as steps
from (
    select
        session_id,
        windowFunnel(86400000000, 'strict_order')(
            toUInt64(toUnixTimestamp64Micro(timestamp)),
            tool_name = 'Home', tool_name = 'Search', tool_name = 'Reader'
        ) as depth
    from bench.events
    group by session_id
)
where depth > 0
group by depth
settings max_threads = 2
