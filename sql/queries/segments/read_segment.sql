-- The filters of a saved segment.
-- $1 name
-- Rows: one (filters as JSON text), none when there is no such segment.
select filters::text as filters
from segments
where name = $1
