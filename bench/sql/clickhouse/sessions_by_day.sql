-- The sessions with events of one tool, by day.
-- Rows: one per day (day, sessions).
select toDate(timestamp) as day, uniqExact(session_id) as sessions
from bench.events
where tool_name = 'Home'
group by day
settings max_threads = 2
