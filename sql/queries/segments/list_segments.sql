-- All saved segments of a site.
-- $1 site
-- Rows: one per segment (name, filters as JSON text, created_at, updated_at), by name.
select name, filters::text as filters, created_at, updated_at
from segments
where site = $1
order by name
