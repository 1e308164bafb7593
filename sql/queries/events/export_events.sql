-- The events of a range that pass the filters.
-- $1 from, $2 to (exclusive), $3 filters (see functions/filters/event_matches.sql)
-- Rows: one per event, oldest first.
select
    e.event_id, e.event_type, e.session_id, e.user_id, e.tool_name, e.action, e.properties::text as properties,
    e.demo_mode, e.timestamp, e.received_at
from events as e
where e.timestamp >= $1
    and e.timestamp < $2
    and event_matches(e, $3)
order by e.timestamp, e.event_id, e.shard
