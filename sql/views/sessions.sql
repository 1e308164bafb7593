create or replace view bi.sessions (
    session_id, user_ids, first_seen, last_seen, duration, events, tool_uses, event_types, site
) as
select
    e.session_id,
    coalesce(array_agg(distinct e.user_id) filter (where e.user_id is not null), '{}'),
    min(e.timestamp),
    max(e.timestamp),
    max(e.timestamp) - min(e.timestamp),
    count(*),
    count(e.tool_name),
    count(distinct e.event_type),
    (select s.name from site_shards as m join sites as s on s.site = m.site where m.shard = e.shard)
from events as e
-- A session is in one shard of each site.
group by e.session_id, e.shard;

comment on view bi.sessions is 'Sessions, one per row and site, computed from the kept events. A session that began before the first kept day shows only its kept part. A condition on session_id reads only its events; any other query reads all kept events.';
comment on column bi.sessions.session_id is 'The session.';
comment on column bi.sessions.user_ids is 'Every user that its events name, sorted; empty when no event names a user.';
comment on column bi.sessions.first_seen is 'Timestamp of its first kept event.';
comment on column bi.sessions.last_seen is 'Timestamp of its last event.';
comment on column bi.sessions.duration is 'last_seen - first_seen; 0 for a session of one event.';
comment on column bi.sessions.events is 'Number of its events.';
comment on column bi.sessions.tool_uses is 'Number of its events that name a tool.';
comment on column bi.sessions.event_types is 'Number of distinct event types.';
comment on column bi.sessions.site is 'Name of the site.';
