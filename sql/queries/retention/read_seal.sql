-- One seal, by its place in a shard's chain.
-- $1 shard, $2 sequence
-- Rows: one (hour, hash in hex), none when there is none.
select s.hour, encode(s.hash, 'hex') as hash
from hour_seals as s
where s.shard = $1 and s.sequence = $2
