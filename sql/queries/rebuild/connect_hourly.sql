-- Ends the filling of a version of hourly in one shard.
-- $1 shard, $2 version
-- Rows: one (connected: false when the version is not being filled).
select connect_hourly($1, $2) as connected
