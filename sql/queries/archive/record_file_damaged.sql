-- Records that a file is damaged, as long as hours are read from it. Its hours are then read from the log.
-- $1 file, $2 why
-- Rows: one (file) when it was recorded.
update archive_files as f set damage = $2
where f.file = $1 and exists (select from archive_hours as h where h.file = f.file)
returning f.file
