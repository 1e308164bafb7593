create or replace view bi.users (
    user_id, first_seen, last_seen, days_active, sessions, events, site
) as
with live as (
    select c.shard, c.version, m.site, coalesce(t.rollups_since, '-infinity') as rollups_since
    from projections as p
    join checkpoints as c on c.projection = p.projection and c.version = p.live_version
    join site_shards as m on m.shard = c.shard
    left join shard_totals as t on t.shard = c.shard
    where p.projection = 'hourly'
)
select
    u.user_id, u.first_seen, u.last_seen, u.days_active, coalesce(e.sessions, 0), coalesce(e.events, 0),
    (select s.name from sites as s where s.site = u.site)
from (
    select
        a.user_id,
        a.site,
        min(a.bucket) as first_seen,
        max(a.bucket) as last_seen,
        count(distinct date_trunc('day', a.bucket, 'UTC')) filter (where a.is_kept) as days_active
    from (
        -- A user's first row outlives the rollups of its day.
        select m.member as user_id, l.site, m.bucket, m.bucket >= l.rollups_since as is_kept
        from live as l
        join hourly_members as m on m.shard = l.shard and m.version = l.version and m.kind = 'user'
        union all
        select t.member, t.site, t.bucket, true from bi_tail('{user}') as t where t.member is not null
    ) as a
    group by a.user_id, a.site
) as u
-- The planner leaves out this join when a query uses neither column.
left join (
    select e.user_id, m.site, count(distinct e.session_id) as sessions, count(*) as events
    from events as e
    join site_shards as m on m.shard = e.shard
    where e.user_id is not null
    group by e.user_id, m.site
) as e on e.user_id = u.user_id and e.site = u.site;

comment on view bi.users is 'Users, one per row and site, including every event stored before the query began. Users are known as far back as rollups are kept (90 days by default); a user who comes back is known since the first visit. A condition on user_id reads only that user''s rows. The columns sessions and events also read the kept events.';
comment on column bi.users.user_id is 'The user.';
comment on column bi.users.first_seen is 'Start of the quarter of an hour of the user''s first event, even when its day is no longer kept.';
comment on column bi.users.last_seen is 'Start of the quarter of an hour of the user''s last event.';
comment on column bi.users.days_active is 'Number of UTC days with an event of the user, among the days whose rollups are kept.';
comment on column bi.users.sessions is 'Number of distinct sessions with a kept event of the user (30 days by default).';
comment on column bi.users.events is 'Number of the user''s kept events (30 days by default).';
comment on column bi.users.site is 'Name of the site.';
