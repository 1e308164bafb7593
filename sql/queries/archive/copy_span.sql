-- The events of a shard in a range of one UTC day, for a file of the archive.
-- $1 shard, $2 from, $3 to (exclusive)
-- Rows: one per event, with the columns of a file up to received_at, and risk_mode.
select
    e.shard,
    e.position,
    e.event_id,
    e.session_id,
    e.user_id,
    e.event_type,
    e.tool_name,
    e.action,
    e.properties::text as properties,
    e.demo_mode,
    e.timestamp,
    e.received_at,
    hourly_risk_mode(e.event_type, e.properties) as risk_mode
from events as e
where e.shard = $1::integer and e.timestamp >= $2::timestamptz and e.timestamp < $3::timestamptz
