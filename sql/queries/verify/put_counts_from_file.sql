-- Puts counts of an hour, as its file holds them, where counted_alike reads them.
-- $1 shard, $2 hour, $3 to $9 one element per row of sql/archive/count_alike.sql: quarter, event_type, tool_name,
-- risk_mode, session_id, user_id, events
-- Rows: none.
insert into counts_from_files (
    shard, hour, quarter, event_type, tool_name, risk_mode, session_id, user_id, events
)
select $1, $2, c.quarter, c.event_type, c.tool_name, c.risk_mode, c.session_id, c.user_id, c.events
from unnest(
    $3::smallint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[]
) as c (quarter, event_type, tool_name, risk_mode, session_id, user_id, events)
