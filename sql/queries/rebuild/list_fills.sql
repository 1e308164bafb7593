-- Hours of a version that have been filled.
-- $1 version
-- Rows: one per hour and shard (shard, hour).
select f.shard, f.hour
from hourly_fills as f
where f.version = $1
