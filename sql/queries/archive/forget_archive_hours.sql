-- Forgets the archived hours of days whose rows were dropped for good and that the archive does not keep.
-- Rows: one per hour (shard, hour).
delete from archive_hours as h
using retired_days as r
where r.shard = h.shard and r.day = (h.hour at time zone 'UTC')::date
    and not exists (select from leaving_days as l where l.day = r.day)
    and not exists (select from archived_days as a where a.day = r.day)
returning h.shard, h.hour
