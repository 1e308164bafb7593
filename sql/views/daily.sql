create or replace view bi.daily (day, events, sessions, tool_uses, users, visitors, complete, site) as
with live as materialized (
    select c.shard, c.version, m.site, t.people_since
    from projections as p
    join checkpoints as c on c.projection = p.projection and c.version = p.live_version
    join site_shards as m on m.shard = c.shard
    left join shard_totals as t on t.shard = c.shard
    where p.projection = 'hourly'
),
tail as materialized (
    select date_trunc('day', t.bucket, 'UTC') as start, t.site, t.dimension, t.kind, t.member, t.previous, t.amount
    from bi_tail('{session,user,identified}') as t
),
stored as (
    select date_trunc('day', min(s.first_hour), 'UTC') as first_day, max(s.last_hour) as last_hour
    from live as l
    cross join lateral (
        -- Not min and max, because before the table is analyzed the planner would read all hours for them.
        select
            (
                select c.hour from hourly_counts as c
                where c.shard = l.shard and c.version = l.version
                order by c.hour
                limit 1
            ) as first_hour,
            (
                select c.hour from hourly_counts as c
                where c.shard = l.shard and c.version = l.version
                order by c.hour desc
                limit 1
            ) as last_hour
    ) as s
),
-- One look-up per day, so that a condition on day skips the other days.
counts as (
    select d.start, c.site, c.dimension, null::hourly_member as kind, c.amount
    from stored as s
    cross join lateral generate_series(s.first_day, s.last_hour, '24 hours') as d (start)
    cross join lateral (
        select l.site, c.dimension, sum(c.events_00 + c.events_15 + c.events_30 + c.events_45) as amount
        from live as l
        join hourly_counts as c on c.shard = l.shard and c.version = l.version
        where c.hour >= d.start and c.hour < d.start + interval '24 hours'
        group by l.site, c.dimension
    ) as c
    union all
    select t.start, t.site, t.dimension, t.kind, sum(t.amount)
    from tail as t
    where t.dimension is not null or t.previous < t.start
    group by t.start, t.site, t.dimension, t.kind
),
days as (
    select
        c.start,
        c.site,
        (c.start at time zone 'UTC')::date as day,
        coalesce(sum(c.amount) filter (where c.dimension = 'event_type'), 0)::bigint as events,
        coalesce(sum(c.amount) filter (where c.dimension = 'tool_name'), 0)::bigint as tool_uses,
        (
            coalesce(sum(c.amount) filter (where c.kind = 'session'), 0)
            + (
                select coalesce(sum(e.members), 0)
                from live as l
                join hourly_edges as e on e.shard = l.shard and e.version = l.version and e.kind = 'session'
                where l.site = c.site
                    and e.bucket >= c.start and e.bucket < c.start + interval '24 hours' and e.previous < c.start
            )
        )::bigint as sessions,
        (
            coalesce(sum(c.amount) filter (where c.kind = 'identified'), 0)
            + (
                select coalesce(sum(e.members), 0)
                from live as l
                join hourly_edges as e on e.shard = l.shard and e.version = l.version and e.kind = 'identified'
                where l.site = c.site
                    and e.bucket >= c.start and e.bucket < c.start + interval '24 hours' and e.previous < c.start
            )
        )::bigint as identified,
        case
            when (select max(l.people_since) from live as l where l.site = c.site) > c.start then null
            else (
                -- Counted across shards, because a user may be in several.
                select count(distinct u.member)
                from (
                    select m.member
                    from live as l
                    -- `+ 0`, because before the table is analyzed the planner would read the whole primary key.
                    join hourly_members as m on m.shard = l.shard and m.version + 0 = l.version
                    where l.site = c.site and m.kind = 'user' and hour_of(m.bucket) >= c.start
                        and hour_of(m.bucket) < c.start + interval '24 hours'
                    union all
                    select t.member
                    from tail as t
                    where t.site = c.site and t.kind = 'user' and t.member is not null and t.start = c.start
                ) as u
            )
        end as users
    from counts as c
    group by c.start, c.site
)
select
    d.day,
    d.events,
    d.sessions,
    d.tool_uses,
    d.users,
    d.users + d.sessions - d.identified,
    d.start + interval '24 hours' <= now(),
    (select s.name from sites as s where s.site = d.site)
from days as d;

comment on view bi.daily is 'Totals of each UTC day that has events, by site. They include every event stored before the query began. Days are kept as long as rollups, 90 days by default. With a condition on day, only those days are read.';
comment on column bi.daily.day is 'The day (UTC).';
comment on column bi.daily.events is 'Events of the day.';
comment on column bi.daily.sessions is 'Exact number of distinct sessions on the day. Do not add it up over days: a session may span several.';
comment on column bi.daily.tool_uses is 'Events that name a tool.';
comment on column bi.daily.users is 'Exact number of distinct users on the day; null for days before users were counted. Do not add it up over days: a user may come back.';
comment on column bi.daily.visitors is 'users, plus the sessions that name no user on that day.';
comment on column bi.daily.complete is 'Whether the day is over, by the database''s clock. Late events may still arrive.';
comment on column bi.daily.site is 'Name of the site.';
