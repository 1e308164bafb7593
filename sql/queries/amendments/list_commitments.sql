-- What amendments commit to, of hours that a certificate tells.
-- $1 shards, $2 places in their chains
-- Rows: one per hour (shard, sequence, hour, commitment).
select a.shard, a.sequence, h.value ->> 'hour' as hour, h.value ->> 'commitment' as commitment
from unnest($1::integer[], $2::bigint[]) as t (shard, sequence)
join amendments as a on a.shard = t.shard and a.sequence = t.sequence and a.kind = 'erasure'
cross join lateral json_array_elements(a.hours) as h (value)
