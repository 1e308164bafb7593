-- The exact number of events in a range in one shard.
-- $1 shard, $2 since, $3 until
-- Rows: one (total: null where a quarantine is in force).
select count_events($1, $2, $3) as total
