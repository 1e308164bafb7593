-- Folds the next events of a shard into the projection hourly.
-- $1 shard, $2 version, $3 limit in positions
-- Rows: one (positions before and after), none when another projector holds the checkpoint.
select folded_after, folded_upto
from fold_hourly($1, $2, $3)
