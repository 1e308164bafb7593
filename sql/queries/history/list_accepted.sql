-- Damage of hours that was accepted.
-- $1 shards, null for all; $2 from, $3 to (exclusive), null for no bound
-- Rows: one per hour and amendment, the oldest first (shard, hour, events_before, events_after, reason, asked_by, accepted_at).
select
    a.shard, h.hour, h.events_before, h.events_after, a.reason, a.asked_by, a.amended_at as accepted_at
from amendments as a
cross join lateral (
    select
        (e ->> 'hour')::timestamptz as hour,
        (e #>> '{before,events}')::bigint as events_before,
        (e #>> '{after,events}')::bigint as events_after
    from json_array_elements(a.hours) as e
) as h
where a.kind = 'accepted' and ($1::integer[] is null or a.shard = any ($1))
    and ($2::timestamptz is null or h.hour >= $2) and ($3::timestamptz is null or h.hour < $3)
order by a.shard, h.hour, a.sequence
