-- The filters of a saved segment of a site.
-- $1 site, $2 name
-- Rows: one (filters as JSON text), none when there is no such segment.
select filters::text as filters
from segments
where site = $1 and name = $2
