-- How writing the archive goes, and what is known to be wrong with it.
-- Rows: one (failed_writes, failing_since: null when writing goes well, failed_at, why, damaged_files: those that hours
-- would be read from, so none of days that are gone; lost_files: how many of these have hours that the log has no rows of).
select
    w.failed_writes,
    w.failing_since,
    w.failed_at,
    w.why,
    d.files as damaged_files,
    d.lost as lost_files
from archive_writing as w
cross join (
    select count(distinct h.file) as files, count(distinct h.file) filter (where r.day is not null) as lost
    from archive_files as f
    join archive_hours as h on h.file = f.file
    left join retired_days as r on r.shard = h.shard and r.day = (h.hour at time zone 'UTC')::date
    where f.damage is not null
        and not exists (select from gone_days() as g where g.day = (h.hour at time zone 'UTC')::date)
) as d
