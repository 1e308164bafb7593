-- Counts of one shard in consecutive buckets of time, fresh; see functions/reports/read_trend.sql.
-- $1 shard, $2 bounds of the buckets, $3 dimensions whose keys are named, users and identified, $4 the keys that are named, or
-- null for all of them
-- Rows: one per bucket, measure and key (bucket from 1, measure, key, amount).
select bucket, measure, key, amount
from read_trend($1, $2, $3, $4)
