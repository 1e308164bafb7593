-- The fresh counts of one shard in consecutive buckets of time; see functions/reports/read_trend.sql.
-- $1 shard, $2 bounds of the buckets, $3 dimensions whose keys are named, users and identified, $4 the keys to name,
-- or null for all
-- Rows: one per bucket, measure and key (bucket from 1, measure, key, amount).
select bucket, measure, key, amount
from read_trend($1, $2, $3, $4)
