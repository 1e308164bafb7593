-- What kinds of JSON values properties of the rows to archive have, by row.
-- $pointers: of the properties, as JSON pointers
-- Rows: one per combination (kinds: a list in the order of $pointers, null where a row lacks the property; events).
select json_type(properties, $pointers) as kinds, count(*) as events
from archived
where properties is not null
group by all
