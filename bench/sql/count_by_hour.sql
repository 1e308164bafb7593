-- The peer of projector, rebuild and verify: events and distinct sessions of every hour, from the raw events.
-- Rows: one per hour (hour, events, sessions).
select
    date_bin('1 hour', timestamp, '2000-01-01 00:00:00+00') as hour,
    count(*) as events,
    count(distinct session_id) as sessions
from events
group by 1
