-- Deletes a goal of a site.
-- $1 site, $2 name
-- Rows: one (name), none when there is no such goal.
delete from goals
where site = $1 and name = $2
returning name
