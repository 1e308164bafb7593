-- The events of one tool, by hour.
-- Rows: one per hour (hour, events).
select toStartOfHour(timestamp) as hour, count() as events
from bench.events
where tool_name = 'Home'
group by hour
settings max_threads = 2
