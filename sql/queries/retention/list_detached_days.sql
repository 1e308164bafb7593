-- Days whose events are detached and not dropped yet.
-- Rows: one per day (day, since and next_day: its start and the next day's, until: they are not dropped before, events: of
-- all shards, stage: the day's in the archive, null when that does not keep it), oldest first.
select
    l.day,
    l.day::timestamp at time zone 'UTC' as since,
    (l.day + 1)::timestamp at time zone 'UTC' as next_day,
    l.until,
    coalesce((select sum(r.events) from retired_days as r where r.day = l.day), 0)::bigint as events,
    a.stage
from leaving_days as l
left join archived_days as a on a.day = l.day
where l.stage = 'detached'
order by l.day
