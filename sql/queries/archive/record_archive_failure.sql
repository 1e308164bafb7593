-- Records that a file of the archive could not be written.
-- $1 why
-- Rows: none.
update archive_writing
set failed_writes = failed_writes + 1,
    failing_since = coalesce(failing_since, clock_timestamp()),
    failed_at = clock_timestamp(),
    why = $1
