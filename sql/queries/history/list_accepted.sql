-- Damage of hours that was accepted.
-- $1 shards, null for all; $2 from, $3 to (exclusive), null for no bound
-- Rows: one per hour and amendment, the oldest first (shard, hour, events_before, events_after, of_total: by how much the
-- shard's total changed, reason, asked_by, accepted_at, link: the amendment's place in the shard's chain).
select
    a.shard, h.hour, h.events_before, h.events_after, h.of_total, a.reason, a.asked_by, a.amended_at as accepted_at,
    a.sequence as link
from amendments as a
cross join lateral (
    select
        (e ->> 'hour')::timestamptz as hour,
        (e #>> '{before,events}')::bigint as events_before,
        (e #>> '{after,events}')::bigint as events_after,
        (e ->> 'total')::bigint as of_total
    from json_array_elements(a.hours) as e
) as h
where a.kind = 'accepted' and ($1::integer[] is null or a.shard = any ($1))
    and ($2::timestamptz is null or h.hour >= $2) and ($3::timestamptz is null or h.hour < $3)
order by a.shard, h.hour, a.sequence
