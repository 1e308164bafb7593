-- Makes an empty table for the events of a day that come back from the archive.
-- $1 day
-- Rows: one.
select begin_restoring($1)
