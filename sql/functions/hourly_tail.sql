-- What the events of a shard at positions (after, upto] would change in the projection's rows, without changing them.
-- Both bounds are ends of appends, so the receipts between them tell which days to read.
-- Both the fold and the fresh read use it (R4, R8). Rows are of three kinds:
--   dimension, key: `amount` more events in `bucket`
--   session_id:     the session is new in `bucket`
--   previous:       `amount` more (or fewer) sessions active in `bucket` and last before that in `previous`
create or replace function hourly_tail(in_shard integer, in_version integer, after bigint, upto bigint)
returns table (
    bucket timestamptz,
    dimension hourly_dimension,
    key text,
    session_id text,
    previous timestamptz,
    amount bigint
)
language plpgsql stable
-- The bounds on timestamp prune days only when the planner knows their values.
set plan_cache_mode = 'force_custom_plan'
-- Positions alone say which events are meant; a plan that does not know the bounds might read their hours, too.
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
    since timestamptz;
    until timestamptz;
begin
    select min(witness.hour), max(witness.hour) + interval '1 hour' into since, until
    from (
        select r.hour
        from receipts as r
        where r.shard = in_shard and r.last_position > after and r.last_position <= upto
        union all
        -- A projection that begins anew reads, too, what was appended by receipts that are compacted by now.
        select l.hour from hour_ledger as l where l.shard = in_shard and after = 0
    ) as witness;

    -- To plan takes longer than to fold some hundred events.
    perform plan_once();

    return query
    -- One pass makes both sets: events that count alike, and the buckets of each session.
    with tail as materialized (
        select t.bucket, t.event_type, t.tool_name, t.risk_mode, t.session_id, count(*) as events
        from (
            select
                quarter_of(e.timestamp) as bucket,
                e.session_id,
                e.event_type,
                e.tool_name,
                hourly_risk_mode(e.event_type, e.properties) as risk_mode
            from events as e
            where e.shard = in_shard and e.position > after and e.position <= upto
                and e.timestamp >= since and e.timestamp < until
        ) as t
        group by grouping sets ((t.bucket, t.event_type, t.tool_name, t.risk_mode), (t.bucket, t.session_id))
    ),
    counted as (
        select alike.bucket, k.dimension, k.key, sum(alike.events)::bigint as events
        from tail as alike
        cross join lateral hourly_keys(alike.event_type, alike.tool_name, alike.risk_mode) as k
        where alike.session_id is null
        group by alike.bucket, k.dimension, k.key
    ),
    -- The buckets of each session, with those before and after among them.
    active as (
        select
            d.session_id,
            d.bucket,
            lag(d.bucket) over chain as last_new,
            lead(d.bucket) over chain as next_new
        from tail as d
        where d.session_id is not null
        window chain as (partition by d.session_id order by d.bucket)
    ),
    known as (
        select a.session_id, a.bucket, a.last_new, a.next_new, max(last.bucket) over (partition by a.session_id) as newest
        from active as a
        left join lateral (
            select s.bucket
            from hourly_sessions as s
            where a.last_new is null and s.shard = in_shard and s.version = in_version and s.session_id = a.session_id
            order by s.bucket desc
            limit 1
        ) as last on true
    ),
    -- Each between its neighbours among the stored ones. Most come after all of them, and need no search.
    placed as materialized (
        select
            k.session_id, k.bucket, k.last_new, k.next_new, later.bucket as later,
            case when k.newest <= k.bucket then k.newest else former.bucket end as former
        from known as k
        left join lateral (
            select s.bucket
            from hourly_sessions as s
            where k.newest > k.bucket and s.shard = in_shard and s.version = in_version
                and s.session_id = k.session_id and s.bucket <= k.bucket
            order by s.bucket desc
            limit 1
        ) as former on true
        left join lateral (
            select s.bucket
            from hourly_sessions as s
            where k.newest > k.bucket and s.shard = in_shard and s.version = in_version
                and s.session_id = k.session_id and s.bucket > k.bucket
            order by s.bucket
            limit 1
        ) as later on true
    ),
    -- New ones, as a chain in each gap between two stored ones.
    chained as materialized (
        select
            p.session_id,
            p.bucket,
            coalesce(p.former, '-infinity') as gap_start,
            coalesce(greatest(p.last_new, p.former), '-infinity') as previous,
            p.later,
            p.later <= coalesce(p.next_new, p.later) as closes_gap
        from placed as p
        where p.former is distinct from p.bucket
    ),
    edges as (
        select c.bucket, c.previous, 1 as sessions from chained as c
        union all
        select c.later, c.bucket, 1 from chained as c where c.closes_gap
        union all
        select c.later, c.gap_start, -1 from chained as c where c.closes_gap
    )
    select c.bucket, c.dimension, c.key, null::text, null::timestamptz, c.events from counted as c
    union all
    select c.bucket, null, null, c.session_id, null, 1 from chained as c
    union all
    select e.bucket, null, null, null, e.previous, sum(e.sessions)::bigint
    from edges as e
    group by e.bucket, e.previous
    having sum(e.sessions) <> 0;
end
$$;
