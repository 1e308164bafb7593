-- The newest seal of each shard that has one.
-- Rows: one per shard (shard, sequence, hour, hash in hex).
select head.shard, head.sequence, head.hour, encode(head.hash, 'hex') as hash
from log_heads as l
cross join lateral (
    select s.shard, s.sequence, s.hour, s.hash
    from hour_seals as s
    where s.shard = l.shard
    order by s.sequence desc
    limit 1
) as head
order by head.shard
