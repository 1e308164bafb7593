create or replace view bi.events (
    timestamp, event_id, event_type, session_id, user_id, tool_name, action, risk_mode, properties, demo_mode, received_at,
    site
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
    e.received_at,
    (select s.name from site_shards as m join sites as s on s.site = m.site where m.shard = e.shard)
from events as e;

comment on view bi.events is 'Every kept event, one per row. Events are kept for 30 days by default. With a condition on timestamp, only the days in it are read.';
comment on column bi.events.timestamp is 'When the event happened, as its sender says, to the microsecond.';
comment on column bi.events.event_id is 'The sender''s idempotency key; when there was none, evt_ and a UUIDv7 in hex.';
comment on column bi.events.event_type is 'What happened.';
comment on column bi.events.session_id is 'The session the event belongs to.';
comment on column bi.events.user_id is 'The user, or null when unknown.';
comment on column bi.events.tool_name is 'The tool it happened in, or null.';
comment on column bi.events.action is 'What was done with the tool, or null.';
comment on column bi.events.risk_mode is 'The risk mode that a risk_mode_changed event names, as rollups count it: (other) when it is not a text of 1 to 128 characters, null for other events.';
comment on column bi.events.properties is 'Further data from the sender, a JSON object, or null.';
comment on column bi.events.demo_mode is 'Whether the sender was in demonstration mode.';
comment on column bi.events.received_at is 'When the event was stored, by the database''s clock.';
comment on column bi.events.site is 'Name of the site.';
