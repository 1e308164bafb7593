create or replace view bi.hourly_rollups (
    hour, event_counts, tool_usage, risk_distribution, unique_sessions, total_events, updated_at, site
) as
with live as materialized (
    select c.shard, c.version, m.site
    from projections as p
    join checkpoints as c on c.projection = p.projection and c.version = p.live_version
    join site_shards as m on m.shard = c.shard
    where p.projection = 'hourly'
),
tail as materialized (
    select hour_of(t.bucket) as hour, t.site, t.dimension, t.key, t.previous, t.amount from bi_tail('{session}') as t
),
counts as (
    select c.hour, c.site, c.dimension, c.key, sum(c.amount)::bigint as amount
    from (
        select c.hour, l.site, c.dimension, c.key, c.events_00 + c.events_15 + c.events_30 + c.events_45 as amount
        from live as l
        join hourly_counts as c on c.shard = l.shard and c.version = l.version
        union all
        -- Rows of the tail without a dimension change edges; these add to the distinct sessions.
        select t.hour, t.site, t.dimension, t.key, t.amount
        from tail as t
        where t.dimension is not null or t.previous < t.hour
    ) as c
    group by c.hour, c.site, c.dimension, c.key
)
select
    c.hour,
    coalesce(jsonb_object_agg(c.key, c.amount) filter (where c.dimension = 'event_type'), '{}'),
    coalesce(jsonb_object_agg(c.key, c.amount) filter (where c.dimension = 'tool_name'), '{}'),
    coalesce(jsonb_object_agg(c.key, c.amount) filter (where c.dimension = 'risk_mode'), '{}'),
    (
        coalesce(sum(c.amount) filter (where c.dimension is null), 0)
        -- One look-up per hour, because otherwise a condition on hour would not limit the edges that are read.
        + (
            select coalesce(sum(e.members), 0)
            from live as l
            join hourly_edges as e on e.shard = l.shard and e.version = l.version and e.kind = 'session'
            where l.site = c.site
                and e.bucket >= c.hour and e.bucket < c.hour + interval '1 hour' and e.previous < c.hour
        )
    )::bigint,
    coalesce(sum(c.amount) filter (where c.dimension = 'event_type'), 0)::bigint,
    (
        select min(p.verified_at)
        from live as l
        join hour_proofs as p on p.shard = l.shard and p.projection = 'hourly' and p.version = l.version
        where l.site = c.site and p.hour = c.hour
    ),
    (select s.name from sites as s where s.site = c.site)
from counts as c
group by c.hour, c.site;

comment on view bi.hourly_rollups is 'The rollup of each hour and site that has events. It includes every event stored before the query began. Rollups are kept for 90 days by default. With a condition on hour, only those hours are read.';
comment on column bi.hourly_rollups.hour is 'Start of the hour (UTC).';
comment on column bi.hourly_rollups.event_counts is 'Events by event_type: an object of numbers. Every key is listed.';
comment on column bi.hourly_rollups.tool_usage is 'Events by tool_name. Events without a tool are left out.';
comment on column bi.hourly_rollups.risk_distribution is 'risk_mode_changed events by the mode that they name; (other) when it is not a text of 1 to 128 characters.';
comment on column bi.hourly_rollups.unique_sessions is 'Exact number of distinct sessions in the hour. Do not add it up over hours: a session may span several.';
comment on column bi.hourly_rollups.total_events is 'Events of the hour: the sum of event_counts.';
comment on column bi.hourly_rollups.updated_at is 'When the hour was last verified against its events, null before the first time. This is not when it last changed: bi.proofs shows whether the proof still holds.';
comment on column bi.hourly_rollups.site is 'Name of the site.';
