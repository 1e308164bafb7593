-- The rollups of one shard for hours in [since, until), fresh: documents and stored rows, and the tail of the log beyond the
-- checkpoint, in one snapshot (R8). Rows, by `measure`:
--   document: the document of `hour` in `key`, `amount` is its number of keys; such an hour has no other rows
--   event_type, tool_name, risk_mode: `amount` events of `key` in `hour`
--   sessions: distinct sessions in `hour`;  distinct_sessions: distinct sessions in the whole range (no hour)
--   document_events, document_sessions: sums over the documents (no hour)
--   position: the log's head (no hour);     lag_events: events beyond the checkpoint (no hour)
create or replace function read_hourly(in_shard integer, since timestamptz, until timestamptz)
returns table (measure text, hour timestamptz, key text, amount bigint)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    live integer;
    folded bigint;
    head constant bigint := log_head(in_shard);
    -- Hours that have rows, or may have.
    first_hour timestamptz;
    last_hour timestamptz;
begin
    select p.live_version, c.position into strict live, folded
    from projections as p
    join checkpoints as c on c.projection = p.projection and c.version = p.live_version
    where p.projection = 'hourly' and c.shard = in_shard;
    select hour_of(greatest(min(c.bucket), since)), least(max(c.bucket), until - interval '1 microsecond')
    into first_hour, last_hour
    from hourly_counts as c
    where c.shard = in_shard and c.version = live;

    return query
    with tail as materialized (
        select t.bucket, t.dimension, t.key, t.previous, t.amount
        from hourly_tail(in_shard, live, folded, head) as t
        where folded < head and t.bucket >= since and t.bucket < until
    ),
    documents as materialized (
        select d.hour, d.document::text as document, d.events, d.sessions, d.keys
        from hourly_documents as d
        where d.shard = in_shard and d.version = live and d.hour >= since and d.hour <= until - interval '1 hour'
            and not exists (
                select from tail as t where t.dimension is not null and hour_of(t.bucket) = d.hour
            )
    ),
    undocumented as materialized (
        select h.hour
        from generate_series(first_hour, last_hour, '1 hour') as h (hour)
        where not exists (select from documents as d where d.hour = h.hour)
    ),
    counts as (
        select u.hour, c.dimension, c.key, c.events
        from undocumented as u
        cross join lateral (
            select c.dimension, c.key, c.events
            from hourly_counts as c
            where c.shard = in_shard and c.version = live
                and c.bucket >= greatest(u.hour, since) and c.bucket < least(u.hour + interval '1 hour', until)
            offset 0  -- one look-up per hour, however few or many the planner expects
        ) as c
        union all
        select hour_of(t.bucket), t.dimension, t.key, t.amount from tail as t where t.dimension is not null
    ),
    edges as materialized (
        select e.bucket, e.previous, e.sessions
        from hourly_edges as e
        where e.shard = in_shard and e.version = live and e.bucket >= since and e.bucket < until
        union all
        select t.bucket, t.previous, t.amount from tail as t where t.previous is not null
    )
    select 'document', d.hour, d.document, d.keys from documents as d
    union all
    select c.dimension::text, c.hour, c.key, sum(c.events)::bigint
    from counts as c
    group by c.dimension, c.hour, c.key
    union all
    select 'sessions', e.hour, null, sum(e.sessions)::bigint
    from (select hour_of(e.bucket) as hour, e.previous, e.sessions from edges as e) as e
    where e.previous < e.hour and not exists (select from documents as d where d.hour = e.hour)
    group by e.hour
    union all
    select 'distinct_sessions', null, null, coalesce(sum(e.sessions), 0)::bigint
    from edges as e
    where e.previous < since
    union all
    select 'document_events', null, null, coalesce(sum(d.events), 0)::bigint from documents as d
    union all
    select 'document_sessions', null, null, coalesce(sum(d.sessions), 0)::bigint from documents as d
    union all
    select 'position', null, null, head
    union all
    select 'lag_events', null, null, coalesce(sum(r.events), 0)::bigint
    from receipts as r
    where r.shard = in_shard and r.last_position > folded;
end
$$;
