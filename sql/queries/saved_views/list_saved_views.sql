-- All saved views of a site.
-- $1 site
-- Rows: one per view (name, search, created_at, updated_at), by name.
select name, search, created_at, updated_at
from saved_views
where site = $1
order by name
