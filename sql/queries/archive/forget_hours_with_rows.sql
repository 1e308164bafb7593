-- Forgets the archived hours of days that have their rows: a backup lacks their files, and they are written anew.
-- Rows: one per hour (shard, hour).
delete from archive_hours as h
where not exists (select from archived_days as d where d.day = (h.hour at time zone 'UTC')::date)
returning h.shard, h.hour
