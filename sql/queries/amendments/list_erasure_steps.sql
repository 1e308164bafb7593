-- What an erasure did.
-- $1 erasure
-- Rows: one per shard and amendment (shard, sequence, day, events, numbers: JSON or null).
select s.shard, s.sequence, s.day, s.events, s.numbers::text as numbers
from erasure_steps as s
where s.erasure = $1
order by s.shard, s.sequence
