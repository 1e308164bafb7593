-- Files that hours are read from and that were not proven for a while, or are damaged. Hours of days that are gone are
-- read from nothing.
-- $1 patience, $2 clock or null, $3 files to leave out, $4 limit
-- Rows: at most $4, one per file (file), the longest ago proven first.
select h.file
from archive_hours as h
join archive_files as f on f.file = h.file
where h.file <> all ($3::text[])
    and not exists (
        select from gone_days() as g where g.day = (h.hour at time zone 'UTC')::date
    )
group by h.file, f.damage
having f.damage is not null or min(h.proven_at) <= coalesce($2::timestamptz, clock_timestamp()) - $1::interval
order by min(h.proven_at)
limit $4
