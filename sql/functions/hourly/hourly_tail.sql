-- The changes that the events of a shard at positions (after, upto] would make to the projection's rows. Makes none.
-- Both bounds are ends of appends, so the receipts between them give the days to read. Quarantined events change nothing,
-- and names that were refused are (other).
-- The fold and the fresh read both use it (R4, R8); `kinds` are the kinds of members wanted. Rows are of three sorts:
--   dimension, key: `amount` more events in `bucket`
--   kind, member:   the member is new in `bucket`
--   kind, previous: `amount` more (or fewer) members active in `bucket` whose last activity before it was in `previous`
create or replace function hourly_tail(
    in_shard integer, in_version integer, after bigint, upto bigint, kinds text[]
)
returns table (
    bucket timestamptz,
    dimension hourly_dimension,
    key text,
    kind hourly_member,
    member text,
    previous timestamptz,
    amount bigint
)
language plpgsql stable
-- Only when the planner knows the bounds on timestamp can it leave out other days.
set plan_cache_mode = 'force_custom_plan'
-- The positions alone select the events; without this, a generic plan might scan the hours, too.
set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
    since timestamptz;
    until timestamptz;
    known_since constant timestamptz := people_since(in_shard);
    leaves_out boolean;
    refused_types int8multirange;
    refused_tools int8multirange;
    refused_modes int8multirange;
begin
    select min(witness.hour), max(witness.hour) + interval '1 hour' into since, until
    from (
        select r.hour
        from receipts as r
        where r.shard = in_shard and r.last_position > after and r.last_position <= upto
        union all
        -- A projection that starts from 0 also reads the hours of receipts that were compacted since.
        select l.hour from hour_ledger as l where l.shard = in_shard and after = 0
    ) as witness;

    leaves_out := has_quarantine(in_shard, since, until);
    if has_refused_names(in_shard, since) then
        refused_types := refused_positions(in_shard, 'event_type', since);
        refused_tools := refused_positions(in_shard, 'tool_name', since);
        refused_modes := refused_positions(in_shard, 'risk_mode', since);
    end if;

    -- Planning takes longer than folding a few hundred events.
    perform plan_once();

    return query
    -- One pass makes both sets: numbers of equal events, and the buckets of each session with each of its users.
    with tail as materialized (
        select t.bucket, t.event_type, t.tool_name, t.risk_mode, t.session_id, t.user_id, count(*) as events
        from (
            select
                quarter_of(e.timestamp) as bucket,
                e.session_id,
                e.user_id,
                counted_name(refused_types, e.shard, 'event_type', e.event_type, e.position) as event_type,
                counted_name(refused_tools, e.shard, 'tool_name', e.tool_name, e.position) as tool_name,
                counted_risk_mode(refused_modes, e.shard, e.event_type, e.properties, e.position) as risk_mode
            from events as e
            where e.shard = in_shard and e.position > after and e.position <= upto
                and e.timestamp >= since and e.timestamp < until
                and (
                    not leaves_out
                    or not is_quarantined(
                        e.shard, e.timestamp, e.session_id, e.user_id, e.event_type, e.tool_name, e.action,
                        hourly_risk_mode(e.event_type, e.properties), e.demo_mode, e.properties
                    )
                )
        ) as t
        group by grouping sets ((t.bucket, t.event_type, t.tool_name, t.risk_mode), (t.bucket, t.session_id, t.user_id))
    ),
    counted as (
        select alike.bucket, k.dimension, k.key, sum(alike.events)::bigint as events
        from tail as alike
        cross join lateral hourly_keys(alike.event_type, alike.tool_name, alike.risk_mode) as k
        where alike.session_id is null
        group by alike.bucket, k.dimension, k.key
    ),
    -- The buckets of each member in the tail, each with the buckets before and after it in the tail.
    active as (
        select
            m.kind,
            m.member,
            m.bucket,
            lag(m.bucket) over chain as last_new,
            lead(m.bucket) over chain as next_new
        from (
            select distinct a.kind, a.member, d.bucket
            from tail as d
            cross join lateral hourly_active(d.session_id, d.user_id) as a
            where d.session_id is not null and a.kind = any (array(select unnest(kinds)::hourly_member))
                and (a.kind = 'session' or d.bucket >= known_since)
        ) as m
        window chain as (partition by m.kind, m.member order by m.bucket)
    ),
    known as (
        select
            a.kind, a.member, a.bucket, a.last_new, a.next_new,
            max(last.bucket) over (partition by a.kind, a.member) as newest
        from active as a
        left join lateral (
            select m.bucket
            from hourly_members as m
            where a.last_new is null and m.shard = in_shard and m.version = in_version
                and m.kind = a.kind and m.member = a.member
            order by m.bucket desc
            limit 1
        ) as last on true
    ),
    -- Each bucket with its neighbours among the stored ones. Most come after all stored ones and need no search.
    placed as materialized (
        select
            k.kind, k.member, k.bucket, k.last_new, k.next_new, later.bucket as later,
            case when k.newest <= k.bucket then k.newest else former.bucket end as former
        from known as k
        left join lateral (
            select m.bucket
            from hourly_members as m
            where k.newest > k.bucket and m.shard = in_shard and m.version = in_version
                and m.kind = k.kind and m.member = k.member and m.bucket <= k.bucket
            order by m.bucket desc
            limit 1
        ) as former on true
        left join lateral (
            select m.bucket
            from hourly_members as m
            where k.newest > k.bucket and m.shard = in_shard and m.version = in_version
                and m.kind = k.kind and m.member = k.member and m.bucket > k.bucket
            order by m.bucket
            limit 1
        ) as later on true
    ),
    -- The new buckets form a chain in each gap between two stored buckets.
    chained as materialized (
        select
            p.kind,
            p.member,
            p.bucket,
            coalesce(p.former, '-infinity') as gap_start,
            coalesce(greatest(p.last_new, p.former), '-infinity') as previous,
            p.later,
            p.later <= coalesce(p.next_new, p.later) as closes_gap
        from placed as p
        where p.former is distinct from p.bucket
    ),
    edges as (
        select c.kind, c.bucket, c.previous, 1 as members from chained as c
        union all
        select c.kind, c.later, c.bucket, 1 from chained as c where c.closes_gap
        union all
        select c.kind, c.later, c.gap_start, -1 from chained as c where c.closes_gap
    )
    select c.bucket, c.dimension, c.key, null::hourly_member, null::text, null::timestamptz, c.events from counted as c
    union all
    select c.bucket, null, null, c.kind, c.member, null, 1 from chained as c
    union all
    select e.bucket, null, null, e.kind, null, e.previous, sum(e.members)::bigint
    from edges as e
    group by e.kind, e.bucket, e.previous
    having sum(e.members) <> 0;
end
$$;
