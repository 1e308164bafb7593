-- Adds a site with shards of its own; see functions/access/add_site.sql.
-- $1 name, $2 time zone, $3 origins, $4 how many shards
-- Rows: one (site: its number).
select add_site($1, $2, $3, $4) as site
