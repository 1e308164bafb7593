-- As read_trend, from the events that pass the filters; see functions/reports/trend_from_events.sql.
-- $1 shard, or null for all together, $2 bounds of the buckets, $3 dimensions and measures to name,
-- $4 keys to name, or null for all, $5 the dimension that divides sessions and tool uses, or null, $6 filters
-- Rows: one per bucket, measure and key (bucket from 1, measure, key, amount).
select bucket, measure, key, amount
from trend_from_events($1, $2, $3, $4, $5, $6)
