-- Copies an hour from one version to another, because it cannot be recounted.
-- $1 shard, $2 from version, $3 to version, $4 hour
-- Rows: one (rows_written).
select carry_hourly($1, $2, $3, $4) as rows_written
