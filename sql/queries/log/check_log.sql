-- Whether an hour of a shard's log is what was appended to it, and whether its day was dropped.
-- $1 shard, $2 hour
-- Rows: one (intact, retired).
select
    row(witnessed.*) = row(found_now.*) as intact,
    exists (
        select from retired_days as d where d.shard = $1 and d.day = ($2::timestamptz at time zone 'UTC')::date
    ) as retired
from appended($1, $2) as witnessed
cross join found_in_log($1, $2, null) as found_now
