-- Days whose events are detached and not dropped yet.
-- Rows: one per day (day, until: they are not dropped before, events: of all shards), oldest first.
select
    l.day,
    l.until,
    coalesce((select sum(r.events) from retired_days as r where r.day = l.day), 0)::bigint as events
from leaving_days as l
where l.stage = 'detached'
order by l.day
