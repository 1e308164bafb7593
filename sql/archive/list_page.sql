-- The events of a page; see EventPage in service/archive/list_questions.py.
-- events: the events near the page; chosen: shard and position of those on it
-- Rows: one per event on the page, in any order; the times in microseconds since 1970.
select
    e.event_id, e.event_type, e.session_id, e.user_id, e.tool_name, e.action, e.properties, e.demo_mode,
    epoch_us(e.timestamp) as timestamp, epoch_us(e.received_at) as received_at, e.shard
from events as e
semi join chosen as c on c.shard = e.shard and c.position = e.position;
