-- Which files the catalog does not know.
-- $1 files, $2 the UTC day of each
-- Rows: one per unknown file (file, is_gone: its day is past the retention of events, by the time that passed, and neither
-- the log nor the archive can bring it back), by file.
select
    n.file,
    coalesce(
        (n.day + 1)::timestamp at time zone 'UTC'
            <= date_trunc('day', c.known_at, 'UTC') - make_interval(hours => 24 * r.event_days),
        false
    )
    and not exists (select from log_days() as l where l.day = n.day)
    and not exists (select from leaving_days as l where l.day = n.day)
    and not exists (select from archived_days as a where a.day = n.day) as is_gone
from unnest($1::text[], $2::date[]) as n (file, day)
cross join retention_in_force as r
cross join log_clock as c
where not exists (select from archive_files as f where f.file = n.file)
order by n.file
