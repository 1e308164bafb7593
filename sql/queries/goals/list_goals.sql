-- All goals of a site.
-- $1 site
-- Rows: one per goal (name, definition as JSON text, created_at, updated_at), by name.
select name, definition::text as definition, created_at, updated_at
from goals
where site = $1
order by name
