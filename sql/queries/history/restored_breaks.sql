-- Where the events of a day that came back from the archive are not what was sealed.
-- $1 day
-- Rows: one per hour that differs (shard, hour, sealed and restored: numbers of events).
select shard, hour, sealed, restored
from restored_breaks($1)
