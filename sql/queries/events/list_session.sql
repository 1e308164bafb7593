-- The events of a session.
-- $1 shards, $2 session_id, $3 since, $4 until, $5 limit, $6 timestamp, $7 event_id and $8 shard of the last event of the
-- page before
-- Rows: at most $5, oldest first.
-- Find first, then sort: a generic plan would read the whole range in its order instead, or everything between two
-- times.
with found as materialized (
    select e.*
    from events as e
    where e.session_id = $2 and e.timestamp >= $3 and e.shard + 0 = any ($1::integer[])
)
select
    f.event_id, f.event_type, f.session_id, f.user_id, f.tool_name, f.action, f.properties::text as properties,
    f.demo_mode, f.timestamp, f.received_at, f.shard
from found as f
where f.timestamp < $4 and (f.timestamp, f.event_id, f.shard) > ($6, $7, $8)
order by f.timestamp, f.event_id, f.shard
limit $5
