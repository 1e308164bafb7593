-- The newest events that pass the filters, read in the order of the primary key.
-- $1 since, $2 limit, $3 timestamp, $4 event_id and $5 shard of the last event of the page before,
-- $6 filters (see functions/filters/event_matches.sql)
-- Rows: at most $2, newest first.
select
    e.event_id, e.event_type, e.session_id, e.user_id, e.tool_name, e.action, e.properties::text as properties,
    e.demo_mode, e.timestamp, e.received_at, e.shard
from events as e
where e.timestamp >= $1
    and e.timestamp <= $3
    and (e.timestamp, e.event_id, e.shard) < ($3, $4, $5)
    and event_matches(e, $6)
order by e.timestamp desc, e.event_id desc, e.shard desc
limit $2
