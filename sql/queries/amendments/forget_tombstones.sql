-- Forgets the tombstones of days of which no event can come any more: their events are gone for good, or their rollups were
-- deleted. Else history can still open a day of which all events were erased, see history_day.
-- Rows: one per day (day).
delete from erased_days as d
where exists (select from retired_days as r where r.day = d.day)
    and (
        exists (select from retired_days as r where r.day = d.day and r.events <> 0)
        or d.day::timestamp at time zone 'UTC' < (select max(t.rollups_since) from shard_totals as t)
    )
    and not exists (select from archived_days as a where a.day = d.day)
    and not exists (select from leaving_days as l where l.day = d.day)
returning d.day
