-- The newest seal of each shard that has any.
-- Rows: one per shard (shard, sequence, hour, hash in hex).
select distinct on (s.shard) s.shard, s.sequence, s.hour, encode(s.hash, 'hex') as hash
from hour_seals as s
order by s.shard, s.sequence desc
