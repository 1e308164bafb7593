-- The size and the state of the archive.
-- Rows: one (files, bytes, hours: those that a file holds as they are, waiting_hours: hours of the log that are over
-- and that no file holds).
select
    f.files, f.bytes, s.hours, s.waiting_hours
from (select count(*) as files, coalesce(sum(a.bytes), 0)::bigint as bytes from archive_files as a) as f
cross join (
    select
        count(*) filter (where c.current) as hours,
        count(*) filter (
            where not c.current
                and c.hour <= clock_timestamp() - interval '1 hour'
                and (c.hour at time zone 'UTC')::date = any (array(select l.day from log_days() as l))
        ) as waiting_hours
    from log_heads as h
    cross join lateral archive_standing(h.shard, '-infinity', 'infinity') as c
) as s
