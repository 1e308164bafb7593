-- The files of days that only the archive has, also of those that are leaving it.
-- $1 shards
-- Rows: one per file and day (file, day, is_leaving, damage, is_quarantined: a quarantine of the shard is in force that day).
select distinct f.file, d.day, d.stage = 'leaving' as is_leaving, f.damage,
    exists (select from quarantined_days as q where q.shard = f.shard and q.day = d.day) as is_quarantined
from archived_days as d
join archive_hours as h on (h.hour at time zone 'UTC')::date = d.day
join archive_files as f on f.file = h.file
where f.shard = any ($1::integer[])
order by d.day, f.file
