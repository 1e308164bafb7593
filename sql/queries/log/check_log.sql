-- Whether the raw events of an hour of a shard are what was appended to it, and whether they are gone. An hour whose
-- events are gone is never intact.
-- $1 shard, $2 hour
-- Rows: one (intact, retired: its rows have left the log, and the archive does not keep them).
select
    row(witnessed.*) = row(found.*) as intact,
    exists (
        select from retired_days as d where d.shard = $1 and d.day = ($2::timestamptz at time zone 'UTC')::date
    ) and not is_kept(($2::timestamptz at time zone 'UTC')::date) as retired
from appended($1, $2) as witnessed
cross join found_now($1, $2) as found
