-- Hours that a version in the stage filling holds already.
-- $1 version
-- Rows: one per hour and shard (shard, hour).
select f.shard, f.hour
from hourly_fills as f
where f.version = $1
