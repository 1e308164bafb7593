-- The same as read_trend from the events that pass the filters; see functions/trend_from_events.sql.
-- $1 shard, or null for all of them together, $2 bounds of the buckets, $3 what is named, $4 the keys that are, or null for all of them, $5 the dimension that
-- sessions and tool uses are divided by, or null, $6 to $15 the filters, as event_matches takes them
-- Rows: one per bucket, measure and key (bucket from 1, measure, key, amount).
select bucket, measure, key, amount
from trend_from_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
