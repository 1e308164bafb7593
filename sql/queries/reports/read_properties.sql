-- The properties of events and their most frequent values; see functions/reports/read_properties.sql.
-- $1 since, $2 until, $3 the path of the only property to read, or null for all, $4 maximum names in a path, $5 maximum
-- properties to name, $6 maximum values of each, $7 filters
-- Rows: one per measure, path and key (measure, path, key, amount), in order.
select measure, path, key, amount
from read_properties($1, $2, $3, $4, $5, $6, $7)
