-- Marks the files that no hour is read from, and takes the mark from those that one is read from again.
-- $1 patience: a file that was written more recently may be about to get its hours
-- Rows: one per file whose mark changed (file, released_at).
with marks as (
    select f.file, exists (select from archive_hours as h where h.file = f.file) as used
    from archive_files as f
)
update archive_files as f
set released_at = case when m.used then null else clock_timestamp() end
from marks as m
where f.file = m.file
    and m.used = (f.released_at is not null)
    and (m.used or f.written_at <= clock_timestamp() - $1::interval)
returning f.file, f.released_at
