-- Deletes some rows of a version of hourly that has ended.
-- $1 shard, $2 version, $3 the most rows of each table
-- Rows: one (deleted: how many; 0 when none are left).
select delete_hourly($1, $2, $3) as deleted
