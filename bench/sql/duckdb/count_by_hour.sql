-- The events of one tool, by hour.
-- $file: of all events
-- Rows: one per hour (hour, events).
select time_bucket(interval '1 hour', timestamp) as hour, count(*) as events
from read_parquet($file)
where tool_name = 'Home'
group by hour
