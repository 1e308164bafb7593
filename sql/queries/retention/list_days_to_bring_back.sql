-- Days that can be brought back: into the log while their rows are there, else into the archive.
-- Rows: one per day (day, has_rows, events: of all shards), newest first.
select
    d.day,
    bool_or(d.has_rows) as has_rows,
    coalesce((select sum(r.events) from retired_days as r where r.day = d.day), 0)::bigint as events
from (
    select l.day, true as has_rows from leaving_days as l where l.stage = 'detached'
    union all
    select a.day, false from archived_days as a where a.stage = 'leaving'
) as d
group by d.day
order by d.day desc
