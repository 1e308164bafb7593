-- The shards of the log.
-- Rows: one per shard (shard, horizon).
select shard, horizon
from log_heads
order by shard
