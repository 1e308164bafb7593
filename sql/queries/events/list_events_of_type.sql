-- The newest events of a type that pass the filters. An index finds the type; the other filters test its events.
-- $1 since, $2 limit, $3 timestamp, $4 event_id and $5 shard of the last event of the page before,
-- $6 filters (see functions/filters/event_matches.sql)
-- Rows: at most $2, newest first.
select
    e.event_id, e.event_type, e.session_id, e.user_id, e.tool_name, e.action, e.properties::text as properties,
    e.demo_mode, e.timestamp, e.received_at, e.shard
from events as e
where e.event_type = $6::jsonb ->> 'event_type' and e.timestamp >= $1
    and e.timestamp <= $3
    and (e.timestamp, e.event_id, e.shard) < ($3, $4, $5)
    and event_matches(e, $6)
-- `|| ''` keeps a generic plan off the primary key, where the events of a rare type are far apart.
order by e.timestamp desc, e.event_id || '' desc, e.shard desc
limit $2
