-- The answer of read_hourly, computed from the raw events.
-- $1 from, $2 to (exclusive)
-- Rows: one per measure, hour and key (measure, hour, key, amount).
with counted as materialized (
    select
        hour_of(e.timestamp) as hour,
        e.session_id,
        e.event_type,
        e.tool_name,
        hourly_risk_mode(e.event_type, e.properties) as risk_mode
    from events as e
    where e.timestamp >= $1 and e.timestamp < $2
),
alike as (
    select c.hour, c.event_type, c.tool_name, c.risk_mode, count(*) as events
    from counted as c
    group by c.hour, c.event_type, c.tool_name, c.risk_mode
)
select k.dimension::text as measure, a.hour, k.key, sum(a.events)::bigint as amount
from alike as a
cross join lateral hourly_keys(a.event_type, a.tool_name, a.risk_mode) as k
group by k.dimension, a.hour, k.key
union all
select 'sessions', c.hour, null, count(distinct c.session_id)
from counted as c
group by c.hour
union all
select 'distinct_sessions', null, null, count(distinct c.session_id)
from counted as c
