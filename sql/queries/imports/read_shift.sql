-- The recorded time by which an import shifts a file's timestamps.
-- $1 SHA-256 of the file, $2 SHIFT_TO as written
-- Rows: one (shift), none when none is recorded.
select shift
from import_shifts
where file_digest = $1 and shift_to = $2
