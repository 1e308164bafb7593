-- The annotations of a site in a range.
-- $1 site, $2 start, $3 end, exclusive
-- Rows: one per annotation (annotation, at, text, created_at), oldest first.
select annotation, at, text, created_at
from annotations
where site = $1 and at >= $2 and at < $3
order by at, annotation
