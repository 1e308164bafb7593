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

    return query
    with tail as materialized (
        select
            quarter_of(e.timestamp) as bucket,
            e.session_id,
            e.event_type,
            e.tool_name,
            hourly_risk_mode(e.event_type, e.properties) as risk_mode
        from events as e
        where e.shard = in_shard and e.position > after and e.position <= upto
            and e.timestamp >= since and e.timestamp < until
    ),
    counted as (
        select alike.bucket, k.dimension, k.key, sum(alike.events)::bigint as events
        from (
            select t.bucket, t.event_type, t.tool_name, t.risk_mode, count(*) as events
            from tail as t
            group by t.bucket, t.event_type, t.tool_name, t.risk_mode
        ) as alike
        cross join lateral hourly_keys(alike.event_type, alike.tool_name, alike.risk_mode) as k
        group by alike.bucket, k.dimension, k.key
    ),
    active as (
        select distinct t.session_id, t.bucket from tail as t
    ),
    -- New pairs of session and bucket, each between its neighbours of the same session among the stored ones.
    placed as materialized (
        select a.session_id, a.bucket, former.bucket as former, later.bucket as later
        from active as a
        left join lateral (
            select s.bucket
            from hourly_sessions as s
            where s.shard = in_shard and s.version = in_version
                and s.session_id = a.session_id and s.bucket <= a.bucket
            order by s.bucket desc
            limit 1
        ) as former on true
        left join lateral (
            select s.bucket
            from hourly_sessions as s
            where s.shard = in_shard and s.version = in_version
                and s.session_id = a.session_id and s.bucket > a.bucket
            order by s.bucket
            limit 1
        ) as later on true
        where former.bucket is distinct from a.bucket
    ),
    -- A gap lies between two stored neighbours; the new buckets in it form a chain.
    chained as (
        select
            p.bucket,
            coalesce(p.former, '-infinity') as gap_start,
            coalesce(lag(p.bucket) over gap, p.former, '-infinity') as previous,
            p.later,
            lead(p.bucket) over gap is null as closes_gap
        from placed as p
        window gap as (partition by p.session_id, p.later order by p.bucket)
    ),
    edges as (
        select c.bucket, c.previous, 1 as sessions from chained as c
        union all
        select c.later, c.bucket, 1 from chained as c where c.closes_gap and c.later is not null
        union all
        select c.later, c.gap_start, -1 from chained as c where c.closes_gap and c.later is not null
    )
    select c.bucket, c.dimension, c.key, null::text, null::timestamptz, c.events from counted as c
    union all
    select p.bucket, null, null, p.session_id, null, 1 from placed as p
    union all
    select e.bucket, null, null, null, e.previous, sum(e.sessions)::bigint
    from edges as e
    group by e.bucket, e.previous
    having sum(e.sessions) <> 0;
end
$$;
