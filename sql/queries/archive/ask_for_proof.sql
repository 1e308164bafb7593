-- Makes the files of hours the next that the projector proves.
-- $1 file
-- Rows: one per hour that is read from it (hour).
update archive_hours set proven_at = 'epoch'
where file = $1
returning hour
