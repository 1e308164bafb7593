-- How far the log has come, over all shards. It reads tables alone, because the functions of an unfinished schema are
-- those of another release.
-- Rows: one (positions: the sum of the last position of each shard).
select coalesce(sum(head.position), 0)::bigint as positions
from log_heads as h
cross join lateral (select max(r.last_position) as position from receipts as r where r.shard = h.shard) as head
