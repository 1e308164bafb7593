-- The fresh counts of one shard in consecutive buckets of time: stored rows and the tail of the log beyond the
-- checkpoint, in one snapshot (R8). The nth bucket is [bounds[n], bounds[n + 1]). Bounds ascend and are whole quarters
-- of an hour (UTC).
-- Dimensions in `named` have a row per key; with `keys`, further keys are summed as (other). Other dimensions have
-- only a sum.
-- Rows, by `measure`; a bucket without events has none:
--   event_type, tool_name, risk_mode: `amount` events of `key` (null: of all keys) in the bucket
--   sessions: distinct sessions in the bucket
-- and when named, users and identified sessions, which are counted from people_since on:
--   users: distinct users of this shard in the bucket
--   new_users: those of them whose first known event is in the bucket; these rows come with users
--   identified: distinct sessions that had an event with a user in the bucket
--   position: the log's head (no bucket);  lag_events: events beyond the checkpoint (no bucket)
create or replace function read_trend(
    in_shard integer, bounds timestamptz[], named text[], keys text[] default null
)
returns table (bucket integer, measure text, key text, amount bigint)
language plpgsql stable
-- Planning for the actual values would take longer than reading.
set plan_cache_mode = 'force_generic_plan'
as $$
#variable_conflict use_column
declare
    live integer;
    folded bigint;
    head bigint;
    lag bigint;
    since constant timestamptz := bounds[1];
    until constant timestamptz := bounds[cardinality(bounds)];
begin
    select s.version, s.folded, s.head, s.lag_events into strict live, folded, head, lag
    from hourly_standing(in_shard) as s;

    return query
    with
    -- The bounds as a column of a row, because each use of an array variable would copy the array.
    marks as materialized (
        select
            bounds as starts,
            array(
                select d.dimension
                from unnest(enum_range(null::hourly_dimension)) as d (dimension)
                where d.dimension::text = any (named)
            ) as dimensions,
            array(
                select k.kind
                from unnest(enum_range(null::hourly_member)) as k (kind)
                where k.kind = 'session' or hourly_measure(k.kind) = any (named)
            ) as kinds
    ),
    tail as materialized (
        select t.bucket as quarter, t.dimension, t.key, t.kind, t.previous, t.amount
        from marks as m
        cross join lateral hourly_tail(in_shard, live, folded, head, m.kinds::text[]) as t
        where folded < head and t.bucket >= since and t.bucket < until
    ),
    -- Hours that a bound divides between buckets.
    divided as materialized (
        select distinct hour_of(b.bound) as hour from unnest(bounds) as b (bound) where b.bound <> hour_of(b.bound)
    ),
    counts as (
        select c.hour as quarter, c.dimension, c.key, c.events_00 + c.events_15 + c.events_30 + c.events_45 as events
        from hourly_counts as c
        where c.shard = in_shard and c.version = live and c.hour >= since and c.hour < until
            and c.hour not in (select d.hour from divided as d)
        union all
        select c.bucket, c.dimension, c.key, c.events
        from divided as d
        cross join lateral (
            select c.bucket, c.dimension, c.key, c.events
            from hourly_buckets(in_shard, live, d.hour, d.hour + interval '1 hour') as c
            where c.bucket >= since and c.bucket < until
            offset 0  -- one look-up per hour, whatever row count the planner expects
        ) as c
        union all
        select t.quarter, t.dimension, t.key, t.amount from tail as t where t.dimension is not null
    ),
    placed as (
        select
            width_bucket(c.quarter, m.starts) as bucket,
            c.dimension,
            case when c.dimension = any (m.dimensions) then named_key(c.key, keys) end as key,
            c.events
        from counts as c
        cross join marks as m
    ),
    edges as (
        select e.quarter, k.kind, e.previous, e.members
        from marks as m
        cross join lateral unnest(m.kinds) as k (kind)
        cross join lateral (
            select e.bucket as quarter, e.previous, e.members
            from hourly_edges as e
            where e.shard = in_shard and e.version = live and e.kind = k.kind and e.bucket >= since and e.bucket < until
            offset 0  -- one look-up per kind, whatever row count the planner expects
        ) as e
        union all
        select t.quarter, t.kind, t.previous, t.amount from tail as t where t.previous is not null
    ),
    active as (
        select
            width_bucket(e.quarter, m.starts) as bucket,
            e.kind,
            sum(e.members)::bigint as members,
            sum(e.members) filter (where e.previous = '-infinity')::bigint as new_members
        from edges as e
        cross join marks as m
        where e.previous < m.starts[width_bucket(e.quarter, m.starts)]
        group by 1, 2
    )
    select p.bucket, p.dimension::text, p.key, sum(p.events)::bigint
    from placed as p
    group by p.bucket, p.dimension, p.key
    union all
    select a.bucket, hourly_measure(a.kind), null, a.members from active as a
    union all
    select a.bucket, 'new_users', null, a.new_members
    from active as a
    where a.kind = 'user' and a.new_members is not null
    union all
    select null, 'position', null, head
    union all
    select null, 'lag_events', null, lag;
end
$$;
