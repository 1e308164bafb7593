-- How many events of a user pass the filters.
-- $1 since, $2 until, $3 filters (see functions/filters/event_matches.sql)
-- Rows: one (total).
select count(*) as total
from events as e
-- `is true` hides the upper bound from the planner, because a generic plan underestimates a range of time.
where e.user_id = $3::jsonb ->> 'user_id' and e.timestamp >= $1 and (e.timestamp < $2) is true
    and event_matches(e, $3)
