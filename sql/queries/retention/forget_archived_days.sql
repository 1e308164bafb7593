-- Lets the archive forget days whose grace is over. Cleaning then deletes their files.
-- $1 moment: the time that passed
-- Rows: one per day (day, events: of all shards).
delete from archived_days as a
where a.stage = 'leaving' and a.until <= $1
returning a.day, coalesce((select sum(r.events) from retired_days as r where r.day = a.day), 0)::bigint as events
