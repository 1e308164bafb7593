-- How many events of a tool pass the filters.
-- $1 since, $2 until, $3 filters (see functions/filters/event_matches.sql)
-- Rows: one (total).
select count(*) as total
from events as e
where e.tool_name = $3::jsonb ->> 'tool_name' and e.timestamp >= $1 and e.timestamp < $2
    and event_matches(e, $3)
