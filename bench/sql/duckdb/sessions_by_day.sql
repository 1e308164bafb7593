-- The sessions with events of one tool, by day.
-- $file: of all events
-- Rows: one per day (day, sessions).
select time_bucket(interval '1 day', timestamp) as day, count(distinct session) as sessions
from read_parquet($file)
where tool_name = 'Home'
group by day
