-- Files that no hour is read from, the longest ago marked first.
-- $1 files to leave out, $2 limit
-- Rows: at most $2, one per file (file).
select f.file
from archive_files as f
where f.released_at is not null and f.file <> all ($1::text[])
order by f.released_at
limit $2
