-- How far a shard's log reaches, and its newest event.
-- $1 shard
-- Rows: one (now; position: the head; stored and retired: events; newest_position, newest_at: its timestamp, and
-- newest_digest in hex: null when the log holds no event of the shard).
select
    clock_timestamp() as now,
    log_head($1) as position,
    stored_events($1) as stored,
    retired_events($1) as retired,
    newest.position as newest_position,
    newest.timestamp as newest_at,
    newest.digest as newest_digest
from (select) as one
left join lateral (
    select
        e.position,
        e.timestamp,
        encode(event_digest(
            e.event_id, e.session_id, e.user_id, e.event_type, e.tool_name, e.action,
            e.properties, e.demo_mode, e.timestamp
        ), 'hex') as digest
    from events as e
    where e.shard = $1
    order by e.position desc
    limit 1
) as newest on true
