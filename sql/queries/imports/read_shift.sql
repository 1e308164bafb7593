-- The recorded times by which imports shift the timestamps of files.
-- $1 SHA-256 of files or of rows, $2 SHIFT_TO as written
-- Rows: one (shift) for each different shift, none when none is recorded.
select distinct shift
from import_shifts
where file_digest = any($1::bytea[]) and shift_to = $2
