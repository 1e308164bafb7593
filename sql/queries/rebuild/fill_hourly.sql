-- Fills one hour of a version of hourly.
-- $1 shard, $2 version, $3 hour, $4 live version
-- Rows: one (filled: false when that was done before).
select fill_hourly($1, $2, $3, $4) as filled
