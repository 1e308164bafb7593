-- Counts of all shards in consecutive buckets of time, users among them, fresh; see functions/reports/read_people.sql.
-- $1 bounds of the buckets, $2 dimensions whose keys are named, users and identified, $3 keys that are named, or null for all
-- Rows: one per shard, bucket, measure and key (bucket from 1, measure, key, amount); users have one per bucket and measure.
select bucket, measure, key, amount
from read_people($1, $2, $3)
