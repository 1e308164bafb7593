-- The newest events of a user.
-- $1 shards, $2 user_id, $3 since, $4 limit, $5 timestamp, $6 event_id and $7 shard of the last event of the page before
-- Rows: at most $4, newest first.
-- Find first, then sort: a generic plan would read the whole range in its order instead.
with found as materialized (
    select e.*
    from events as e
    where e.user_id = $2 and e.timestamp >= $3 and e.shard + 0 = any ($1::integer[])
)
select
    f.event_id, f.event_type, f.session_id, f.user_id, f.tool_name, f.action, f.properties::text as properties,
    f.demo_mode, f.timestamp, f.received_at, f.shard
from found as f
where (f.timestamp, f.event_id, f.shard) < ($5, $6, $7)
order by f.timestamp desc, f.event_id desc, f.shard desc
limit $4
