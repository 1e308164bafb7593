-- How many events of a tool pass the filters.
-- $1 since, $2 session_id, $3 user_id, $4 tool_name, $5 event_type, $6 action, $7 demo_mode, $8 risk_mode,
-- null when not asked for
-- Rows: one (total).
select count(*) as total
from events as e
where e.tool_name = $4 and e.timestamp >= $1
    and event_matches(e, $2, $3, $4, $5, $6, $7, $8)
