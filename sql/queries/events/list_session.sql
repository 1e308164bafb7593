-- The events of a session.
-- $1 session_id, $2 since, $3 until, $4 limit, $5 timestamp, $6 event_id and $7 shard of the last event of the page before
-- Rows: at most $4, oldest first.
-- Find first, then sort: a generic plan would read the whole range in its order instead, or everything between two
-- times.
with found as materialized (
    select e.*
    from events as e
    where e.session_id = $1 and e.timestamp >= $2
)
select
    f.event_id, f.event_type, f.session_id, f.user_id, f.tool_name, f.action, f.properties::text as properties,
    f.demo_mode, f.timestamp, f.received_at, f.shard
from found as f
where f.timestamp < $3 and (f.timestamp, f.event_id, f.shard) > ($5, $6, $7)
order by f.timestamp, f.event_id, f.shard
limit $4
