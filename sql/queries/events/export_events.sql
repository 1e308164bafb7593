-- The events of shards in a range.
-- $1 shards, $2 from, $3 to (exclusive)
-- Rows: one per event, oldest first.
select
    e.event_id, e.event_type, e.session_id, e.user_id, e.tool_name, e.action, e.properties::text as properties,
    e.demo_mode, e.timestamp, e.received_at
from events as e
where e.timestamp >= $2 and e.timestamp < $3 and e.shard = any ($1::integer[])
order by e.timestamp, e.event_id, e.shard
