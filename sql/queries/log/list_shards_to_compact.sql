-- Shards with a receipt that every checkpoint has passed; see functions/log/compact_receipts.sql.
-- Rows: one per shard (shard).
select h.shard
from log_heads as h
cross join lateral (select min(r.last_position) as oldest from receipts as r where r.shard = h.shard) as r
where r.oldest < log_head(h.shard)
    and r.oldest <= (select min(c.position) from checkpoints as c where c.shard = h.shard)
order by h.shard
