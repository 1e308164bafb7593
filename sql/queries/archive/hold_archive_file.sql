-- Locks the row of a file that has its name now, so that the cleaning does not take it, and clears what was said of a
-- file of this name before.
-- $1 file
-- Rows: one (file), none when the cleaning has taken it.
update archive_files set released_at = null, damage = null
where file = $1
returning file
