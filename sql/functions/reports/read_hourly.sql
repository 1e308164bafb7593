-- The fresh rollups of one shard for the hours in [since, until): documents, stored rows, and the tail of the log
-- beyond the checkpoint, in one snapshot (R8). The bounds are whole quarters; of an hour that they cut, only the part in
-- the range counts. With `most_keys`, each hour and dimension has at most that many keys: the largest, and the rest
-- summed under (other). Rows, by `measure`:
--   document: the document of `hour` in `key`, its number of keys in `amount`; such an hour has no other rows
--   event_type, tool_name, risk_mode: `amount` events of `key` in `hour`
--   sessions: distinct sessions in `hour`;  distinct_sessions: distinct sessions in the whole range (no hour)
--   document_events, document_sessions: sums over the documents (no hour)
--   position: the log's head (no hour);     lag_events: events beyond the checkpoint (no hour)
--   rollups_since: `hour` is the first that the shard keeps; only when it is after `since`
create or replace function read_hourly(
    in_shard integer, since timestamptz, until timestamptz, most_keys integer default null
)
returns table (measure text, hour timestamptz, key text, amount bigint)
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
    -- The first and last hour in the range that may have rows.
    first_hour timestamptz;
    last_hour timestamptz;
begin
    select s.version, s.folded, s.head, s.lag_events into strict live, folded, head, lag
    from hourly_standing(in_shard) as s;
    -- Without rows both are null, so that the series of hours is empty; `since` alone may be -infinity.
    select
        case when min(c.hour) is not null then hour_of(greatest(min(c.hour), since)) end,
        least(max(c.hour), until - interval '1 microsecond')
    into first_hour, last_hour
    from hourly_counts as c
    where c.shard = in_shard and c.version = live;

    return query
    with tail as materialized (
        select t.bucket, t.dimension, t.key, t.previous, t.amount
        from hourly_tail(in_shard, live, folded, head, '{session}') as t
        where folded < head and t.bucket >= since and t.bucket < until
    ),
    documents as materialized (
        select d.hour, d.document::text as document, d.events, d.sessions, d.keys
        from hourly_documents as d
        where d.shard = in_shard and d.version = live and d.hour >= since and d.hour <= until - interval '1 hour'
            and (d.keys <= most_keys) is not false
            -- `not in`, because it is one look-up in a hash per row, whatever row count the planner expects.
            and d.hour not in (select hour_of(t.bucket) from tail as t where t.dimension is not null)
    ),
    undocumented as materialized (
        select h.hour, h.hour >= since and h.hour + interval '1 hour' <= until as whole
        from generate_series(first_hour, last_hour, '1 hour') as h (hour)
        where h.hour not in (select d.hour from documents as d)
    ),
    counts as materialized (
        select c.hour, c.dimension, c.key, sum(c.events)::bigint as events
        from (
            select u.hour, c.dimension, c.key, c.events
            from undocumented as u
            cross join lateral (
                select c.dimension, c.key, c.events_00 + c.events_15 + c.events_30 + c.events_45 as events
                from hourly_counts as c
                where c.shard = in_shard and c.version = live and c.hour = u.hour
                offset 0  -- one look-up per hour, whatever row count the planner expects
            ) as c
            where u.whole
            union all
            select u.hour, c.dimension, c.key, c.events
            from undocumented as u
            cross join lateral (
                select c.dimension, c.key, c.events
                from hourly_buckets(in_shard, live, u.hour, u.hour + interval '1 hour') as c
                where c.bucket >= since and c.bucket < until
                offset 0
            ) as c
            where not u.whole
            union all
            select hour_of(t.bucket), t.dimension, t.key, t.amount from tail as t where t.dimension is not null
        ) as c
        group by c.hour, c.dimension, c.key
    ),
    crowded as materialized (
        select c.hour, c.dimension from counts as c group by c.hour, c.dimension having count(*) > most_keys
    ),
    ranked as (
        select
            c.hour, c.dimension, c.key, c.events,
            row_number() over (
                partition by c.hour, c.dimension order by c.key = '(other)', c.events desc, c.key
            ) as place
        from counts as c
        where (c.hour, c.dimension) in (select k.hour, k.dimension from crowded as k)
    ),
    named as (
        select c.hour, c.dimension, c.key, c.events
        from counts as c
        where (c.hour, c.dimension) not in (select k.hour, k.dimension from crowded as k)
        union all
        select r.hour, r.dimension, r.key, r.events from ranked as r where r.place < most_keys
        union all
        select r.hour, r.dimension, '(other)', sum(r.events)::bigint
        from ranked as r
        where r.place >= most_keys
        group by r.hour, r.dimension
    ),
    active as (
        select u.hour, e.members
        from undocumented as u
        cross join lateral (
            select e.members
            from hourly_edges as e
            where e.shard = in_shard and e.version = live and e.kind = 'session'
                and e.bucket >= greatest(u.hour, since) and e.bucket < least(u.hour + interval '1 hour', until)
                and e.previous < greatest(u.hour, since)
            offset 0
        ) as e
        union all
        select t.hour, t.amount
        from (select hour_of(t.bucket) as hour, t.previous, t.amount from tail as t) as t
        where t.previous < greatest(t.hour, since) and t.hour not in (select d.hour from documents as d)
    ),
    entered as (
        select e.members
        from hourly_edges as e
        where e.shard = in_shard and e.version = live and e.kind = 'session'
            and e.bucket >= since and e.bucket < until and e.previous < since
        union all
        select t.amount from tail as t where t.previous < since
    )
    select 'document', d.hour, d.document, d.keys from documents as d
    union all
    select n.dimension::text, n.hour, n.key, n.events from named as n
    union all
    select 'sessions', a.hour, null, sum(a.members)::bigint
    from active as a
    group by a.hour
    union all
    select 'distinct_sessions', null, null, coalesce(sum(e.members), 0)::bigint from entered as e
    union all
    select 'document_events', null, null, coalesce(sum(d.events), 0)::bigint from documents as d
    union all
    select 'document_sessions', null, null, coalesce(sum(d.sessions), 0)::bigint from documents as d
    union all
    select 'position', null, null, head
    union all
    select 'lag_events', null, null, lag
    union all
    select 'rollups_since', kept.since, null, 0
    from (select rollups_since(in_shard) as since) as kept
    where kept.since > read_hourly.since;
end
$$;
