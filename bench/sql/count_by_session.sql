-- The peer of funnel questions: reads the same events once and groups them by session.
-- $1 from, $2 to (exclusive)
-- Rows: one (sessions, events).
select count(*) as sessions, sum(s.events)::bigint as events
from (
    select e.session_id, count(e.tool_name) as events
    from events as e
    where e.timestamp >= $1 and e.timestamp < $2
    group by e.session_id
) as s
