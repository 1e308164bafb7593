-- Files of the archive that may still hold what an erasure took: no hour is read from them, and they are not deleted yet.
-- $1 erasure
-- Rows: one per file (file).
select f.file
from archive_files as f
where exists (
        select from erasure_steps as s
        where s.erasure = $1 and s.shard = f.shard
            and f.since < (s.day + 1)::timestamp at time zone 'UTC' and f.until > s.day::timestamp at time zone 'UTC'
    )
    and not exists (select from archive_hours as h where h.file = f.file)
order by f.file
