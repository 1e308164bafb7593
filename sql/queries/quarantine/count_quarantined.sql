-- How many events of an hour quarantines leave out. The caller has read the hour's file when the day is kept.
-- $1 shard, $2 hour
-- Rows: one (events).
select count(*) as events
from events as e
where e.shard = $1 and e.timestamp >= $2 and e.timestamp < hour_after($2)
    and is_quarantined(
        e.shard, e.timestamp, e.session_id, e.user_id, e.event_type, e.tool_name, e.action,
        hourly_risk_mode(e.event_type, e.properties), e.demo_mode, e.properties
    )
