-- The newest events of a session that pass the filters. An index finds the session; the other filters test its events.
-- $1 since, $2 limit, $3 timestamp, $4 event_id and $5 shard of the last event of the page before,
-- $6 filters (see functions/filters/event_matches.sql)
-- Rows: at most $2, newest first.
-- Find first, then sort: a generic plan would read the whole range in its order instead.
with found as materialized (
    select e.*
    from events as e
    where e.session_id = $6::jsonb ->> 'session_id' and e.timestamp >= $1
        and event_matches(e, $6)
)
select
    f.event_id, f.event_type, f.session_id, f.user_id, f.tool_name, f.action, f.properties::text as properties,
    f.demo_mode, f.timestamp, f.received_at, f.shard
from found as f
where (f.timestamp, f.event_id, f.shard) < ($3, $4, $5)
order by f.timestamp desc, f.event_id desc, f.shard desc
limit $2
