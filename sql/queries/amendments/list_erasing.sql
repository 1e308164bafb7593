-- The ids that an erasure is about.
-- $1 erasure
-- Rows: one per id (kind, id).
select kind, id from erasing where erasure = $1
