-- Deletes a saved segment.
-- $1 name
-- Rows: one (name), none when there is no such segment.
delete from segments
where name = $1
returning name
