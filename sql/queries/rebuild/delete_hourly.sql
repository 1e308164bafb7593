-- Deletes rows of an ended version of hourly in one shard.
-- $1 shard, $2 version, $3 maximum rows of each large table
-- Rows: one (deleted: how many; 0 when none are left).
select delete_hourly($1, $2, $3) as deleted
