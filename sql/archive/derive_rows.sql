-- Makes a view of the rows of PostgreSQL with what is derived from them.
-- Rows: none.
create view derived as
with sessions as (
    -- A session has many events, and a digest costs as much as reading an event.
    select session_id, session_of(session_id) as session
    from (select distinct session_id from copied)
)
select
    c.shard,
    c.position,
    c.event_id,
    c.session_id,
    c.user_id,
    c.event_type,
    c.tool_name,
    c.action,
    c.properties,
    c.demo_mode,
    c.timestamp,
    c.received_at,
    s.session,
    c.risk_mode,
    has_long_number(c.properties) as long_numbers
from copied as c
join sessions as s on s.session_id = c.session_id
