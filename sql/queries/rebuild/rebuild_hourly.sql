-- Replaces one hour of a shard's rollup by a recount.
-- $1 shard, $2 version, $3 hour
-- Rows: one (rows_written).
select rebuild_hourly($1, $2, $3) as rows_written
