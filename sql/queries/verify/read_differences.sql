-- What is wrong with an hour, in the live version; see functions/verify/failed_hours.sql.
-- $1 shard, $2 projection, $3 hour
-- Rows: one (differences) when anything is, null when an older release recorded it; else none.
select h.differences
from failed_hours($2, $3, hour_after($3)) as h
where h.shard = $1
