-- Records that files of the archive can be written and deleted again.
-- Rows: none.
update archive_writing set failing_since = null, why = null
where failing_since is not null
