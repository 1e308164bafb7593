-- The events of a person that are rows of the log.
-- $1 shards, $2 users, $3 sessions
-- Rows: one per event, oldest first.
select
    event_id, event_type, session_id, user_id, tool_name, action, properties::text as properties, demo_mode, timestamp,
    received_at
from events
where shard = any ($1::integer[]) and (user_id = any ($2::text[]) or session_id = any ($3::text[]))
order by timestamp, event_id
