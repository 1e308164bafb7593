-- The events with one value of a property.
-- $file: of all events
-- Rows: one (events).
select count(*) as events
from read_parquet($file)
where "properties.path" = '/articles/77'
