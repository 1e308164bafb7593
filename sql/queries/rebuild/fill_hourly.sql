-- Fills one hour of a version of hourly.
-- $1 shard, $2 version, $3 hour, $4 live version
-- Rows: one (filled: false when the hour was filled before, or the version is no longer filling).
select fill_hourly($1, $2, $3, $4) as filled
