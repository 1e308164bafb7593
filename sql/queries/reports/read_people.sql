-- The fresh counts of all shards in consecutive buckets of time, users included; see functions/reports/read_people.sql.
-- $1 bounds of the buckets, $2 dimensions whose keys are named, and identified, $3 the keys to name, or null for all
-- Rows: one per shard, bucket, measure and key (bucket from 1, measure, key, amount); for users, one per bucket and
-- measure.
select bucket, measure, key, amount
from read_people($1, $2, $3)
