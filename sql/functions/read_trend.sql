-- Counts of one shard in consecutive buckets of time, [bounds[n], bounds[n + 1]) being the nth, fresh: stored rows and the
-- tail of the log beyond the checkpoint, in one snapshot (R8). Bounds ascend and are whole quarters of an hour (UTC).
-- Only dimensions in `named` have their keys told, with `keys` these only and the rest as (other); others are summed.
-- Rows, by `measure`; a bucket without events has none:
--   event_type, tool_name, risk_mode: `amount` events of `key` (null: of all keys) in the bucket
--   sessions: distinct sessions in the bucket
--   position: the log's head (no bucket);  lag_events: events beyond the checkpoint (no bucket)
create or replace function read_trend(
    in_shard integer, bounds timestamptz[], named text[], keys text[] default null
)
returns table (bucket integer, measure text, key text, amount bigint)
language plpgsql stable
-- Planning would take longer than reading.
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
    with tail as materialized (
        select t.bucket as quarter, t.dimension, t.key, t.previous, t.amount
        from hourly_tail(in_shard, live, folded, head) as t
        where folded < head and t.bucket >= since and t.bucket < until
    ),
    -- As part of a row an array is as it is stored; each look into a variable would make a copy of it.
    marks as materialized (select bounds as starts, named::hourly_dimension[] as dimensions),
    -- Hours that more than one bucket has a part of.
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
            offset 0  -- one look-up per hour, however few or many the planner expects
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
        select e.bucket as quarter, e.previous, e.sessions
        from hourly_edges as e
        where e.shard = in_shard and e.version = live and e.bucket >= since and e.bucket < until
        union all
        select t.quarter, t.previous, t.amount from tail as t where t.previous is not null
    ),
    active as (
        select width_bucket(e.quarter, m.starts) as bucket, e.sessions
        from edges as e
        cross join marks as m
        where e.previous < m.starts[width_bucket(e.quarter, m.starts)]
    )
    select p.bucket, p.dimension::text, p.key, sum(p.events)::bigint
    from placed as p
    group by p.bucket, p.dimension, p.key
    union all
    select a.bucket, 'sessions', null, sum(a.sessions)::bigint
    from active as a
    group by a.bucket
    union all
    select null, 'position', null, head
    union all
    select null, 'lag_events', null, lag;
end
$$;
