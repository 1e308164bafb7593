-- Whether an hour of a shard's log is what was appended to it.
-- $1 shard, $2 hour
-- Rows: one (intact).
select row(witnessed.*) = row(found_now.*) as intact
from appended($1, $2) as witnessed
cross join found_in_log($1, $2) as found_now
