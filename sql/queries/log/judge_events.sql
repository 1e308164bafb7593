-- Which of the given events append_events would not store in one shard, and why. Stores nothing. An event that repeats
-- another given event is not noticed.
-- $1 shard, $2 retention in days, $3 clock or null, $4 event ids, $5 session ids, $6 timestamps
-- Rows: one per event that would not be stored (ordinal from 1, outcome).
select j.ordinal, j.outcome
from (
    select
        o.ordinal::integer as ordinal,
        case
            when o.timestamp < span.oldest then 'expired'
            when o.timestamp > span.moment + interval '24 hours' then 'future'
            when holder.session_id = o.session_id then 'duplicate'
            when holder.session_id is not null then 'id_reused'
            when is_erased($1, o.timestamp, o.event_id) then 'duplicate'
        end as outcome
    from (
        select horizon_at(h.horizon, $2::integer, clock.moment) as oldest, clock.moment
        from (select coalesce($3::timestamptz, clock_timestamp()) as moment) as clock, log_heads as h
        where h.shard = $1
    ) as span
    cross join unnest($4::text[], $5::text[], $6::timestamptz[]) with ordinality as o (
        event_id, session_id, timestamp, ordinal
    )
    left join lateral (
        select e.session_id
        from events as e
        -- `+ 0`, as in append_events.
        where e.timestamp = o.timestamp and e.event_id = o.event_id and e.shard + 0 = $1
        limit 1
    ) as holder on true
) as j
where j.outcome is not null
order by j.ordinal
