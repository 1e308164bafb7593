-- Forgets the tombstones of days whose events are gone for good: no event of them can come any more.
-- Rows: one per day (day).
delete from erased_days as d
where exists (select from retired_days as r where r.day = d.day)
    and not exists (select from archived_days as a where a.day = d.day)
    and not exists (select from leaving_days as l where l.day = d.day)
returning d.day
