-- The digest of the event at a position of a shard.
-- $1 shard, $2 position, $3 timestamp of the event
-- Rows: one (digest in hex: null when another event or none is there; retired: the event's day was dropped).
select
    (
        select encode(event_digest(
            e.event_id, e.session_id, e.user_id, e.event_type, e.tool_name, e.action,
            e.properties, e.demo_mode, e.timestamp
        ), 'hex')
        from events as e
        where e.shard = $1 and e.position = $2 and e.timestamp = $3
    ) as digest,
    exists (
        select from retired_days as d where d.shard = $1 and d.day = ($3::timestamptz at time zone 'UTC')::date
    ) as retired
