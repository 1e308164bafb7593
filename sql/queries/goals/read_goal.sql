-- The definition of a goal of a site.
-- $1 site, $2 name
-- Rows: one (definition as JSON text), none when there is no such goal.
select definition::text as definition
from goals
where site = $1 and name = $2
