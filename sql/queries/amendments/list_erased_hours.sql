-- The hours that an erasure changed, by its amendments.
-- $1 erasure
-- Rows: one per hour and shard (shard, hour, members: how many member rows got another name).
select a.shard, (h.value ->> 'hour')::timestamptz as hour, coalesce(sum((h.value ->> 'members')::bigint), 0)::bigint as members
from erasure_steps as s
join amendments as a on a.shard = s.shard and a.sequence = s.sequence
cross join lateral json_array_elements(a.hours) as h (value)
where s.erasure = $1
group by a.shard, (h.value ->> 'hour')::timestamptz
order by 1, 2
