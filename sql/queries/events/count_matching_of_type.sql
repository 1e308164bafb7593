-- How many events of a type pass the filters.
-- $1 since, $2 until, $3 filters (see functions/filters/event_matches.sql)
-- Rows: one (total).
select count(*) as total
from events as e
where e.event_type = $3::jsonb ->> 'event_type' and e.timestamp >= $1 and e.timestamp < $2
    and event_matches(e, $3)
