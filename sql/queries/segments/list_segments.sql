-- All saved segments.
-- Rows: one per segment (name, filters as JSON text, created_at, updated_at), by name.
select name, filters::text as filters, created_at, updated_at
from segments
order by name
