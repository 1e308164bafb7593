-- Which of the given events quarantines leave out of the numbers.
-- $1 to $9 one element per event: shard, timestamp, session_id, user_id, event_type, tool_name, action, demo_mode, properties
-- Rows: one per event that is left out (ordinal, from 1).
select e.ordinal::integer as ordinal
from unnest(
    $1::integer[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[]
) with ordinality as e (
    shard, timestamp, session_id, user_id, event_type, tool_name, action, demo_mode, properties, ordinal
)
where is_quarantined(
    e.shard, e.timestamp, e.session_id, e.user_id, e.event_type, e.tool_name, e.action,
    hourly_risk_mode(e.event_type, e.properties::jsonb), e.demo_mode, e.properties::jsonb
)
