-- Ends the filling of a version of hourly in one shard.
-- $1 shard, $2 version
-- Rows: one (connected: false when the filling had ended before).
select connect_hourly($1, $2) as connected
