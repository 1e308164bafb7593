-- The fresh counts of several shards in consecutive buckets of time, users included; see functions/reports/read_people.sql.
-- $1 shards, $2 bounds of the buckets, $3 dimensions whose keys are named, and identified, $4 the keys to name, or null
-- for all
-- Rows: one per shard, bucket, measure and key (bucket from 1, measure, key, amount); for users, one per bucket and
-- measure.
select bucket, measure, key, amount
from read_people($1, $2, $3, $4)
