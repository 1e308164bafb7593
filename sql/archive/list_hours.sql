-- How many events pass in each hour; see HourCounts in service/archive/list_questions.py.
-- counted: hour, whole hours since 1970; events; several rows may have the same hour
-- Rows: one per hour with events (hour, events), oldest first.
select hour, sum(events)::bigint as events
from counted
group by hour
order by hour;
