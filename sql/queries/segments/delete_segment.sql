-- Deletes a saved segment of a site.
-- $1 site, $2 name
-- Rows: one (name), none when there is no such segment.
delete from segments
where site = $1 and name = $2
returning name
