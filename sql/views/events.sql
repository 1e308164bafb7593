create or replace view bi.events (
    timestamp, event_id, event_type, session_id, user_id, tool_name, action, risk_mode, properties, demo_mode, received_at
) as
select
    e.timestamp,
    e.event_id,
    e.event_type,
    e.session_id,
    e.user_id,
    e.tool_name,
    e.action,
    hourly_risk_mode(e.event_type, e.properties),
    e.properties,
    e.demo_mode,
    e.received_at
from events as e;

comment on view bi.events is 'Every event that is kept, one a row: 30 days by default. A condition on timestamp reads the days that it means only.';
comment on column bi.events.timestamp is 'When the event happened, by its sender, to the microsecond.';
comment on column bi.events.event_id is 'The sender''s idempotency key, or evt_ and a UUIDv7 in hex.';
comment on column bi.events.event_type is 'What happened.';
comment on column bi.events.session_id is 'The session the event belongs to.';
comment on column bi.events.user_id is 'The user, null when not known.';
comment on column bi.events.tool_name is 'The tool it happened in, or null.';
comment on column bi.events.action is 'What was done with the tool, or null.';
comment on column bi.events.risk_mode is 'The risk mode that a change of it names, (other) when that is odd, null for other events: what rollups count it toward.';
comment on column bi.events.properties is 'Anything else the sender said, a JSON object, or null.';
comment on column bi.events.demo_mode is 'Whether the sender was in demonstration mode.';
comment on column bi.events.received_at is 'When the event was stored, by the database''s clock.';
