-- How far a shard's log reaches, and its newest event.
-- $1 shard
-- Rows: one (now; position: the head; stored: events; retired: events that cannot come back; newest_position, newest_at:
-- its timestamp, and newest_digest in hex: null when the log holds no event of the shard; links: of the shard's chain).
select
    clock_timestamp() as now,
    log_head($1) as position,
    stored_events($1) as stored,
    (
        select coalesce(sum(d.events), 0)::bigint
        from retired_days as d
        where d.shard = $1
            and not exists (select from leaving_days as l where l.day = d.day and l.stage = 'detached')
    ) as retired,
    newest.position as newest_position,
    newest.timestamp as newest_at,
    newest.digest as newest_digest,
    (select l.sequence - 1 from next_link($1) as l) as links
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
