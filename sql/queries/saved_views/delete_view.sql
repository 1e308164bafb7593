-- Deletes a saved view of a site.
-- $1 site, $2 name
-- Rows: one (name), none when there is no such view.
delete from saved_views
where site = $1 and name = $2
returning name
