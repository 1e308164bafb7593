-- The newest events of shards, read in the order of the primary key.
-- $1 shards, $2 since, $3 limit, $4 timestamp, $5 event_id and $6 shard of the last event of the page
-- before
-- Rows: at most $3, newest first.
select
    e.event_id, e.event_type, e.session_id, e.user_id, e.tool_name, e.action, e.properties::text as properties,
    e.demo_mode, e.timestamp, e.received_at, e.shard
from events as e
where e.timestamp >= $2 and e.shard = any ($1::integer[])
    and e.timestamp <= $4
    and (e.timestamp, e.event_id, e.shard) < ($4, $5, $6)
order by e.timestamp desc, e.event_id desc, e.shard desc
limit $3
