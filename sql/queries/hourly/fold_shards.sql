-- Folds the next events of several shards into the projection hourly, in one transaction. It waits for no other projector.
-- $1 shards, $2 the version of each, $3 limit in positions of each
-- Rows: one per shard (positions before and after), without those whose checkpoint another projector holds.
select f.folded_after, f.folded_upto
from unnest($1::integer[], $2::integer[]) as s (shard, version)
cross join lateral fold_hourly(s.shard, s.version, $3) as f
