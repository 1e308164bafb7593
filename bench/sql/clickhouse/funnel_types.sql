-- How deep sessions get in a funnel of 3 types.
-- Rows: one per depth (depth, runs, steps: depth times runs).
select depth, count() as runs, depth * count() as steps
from (
    select
        session_id,
        windowFunnel(86400000000)(
            toUInt64(toUnixTimestamp64Micro(timestamp)),
            event_type = 'page_viewed', event_type = 'tool_used', event_type = 'risk_mode_changed'
        ) as depth
    from bench.events
    group by session_id
)
where depth > 0
group by depth
settings max_threads = 2
