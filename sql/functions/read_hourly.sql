-- The rollups of one shard for hours in [since, until), fresh: stored rows and the tail of the log beyond the checkpoint,
-- in one snapshot (R8). Rows, by `measure`:
--   event_type, tool_name, risk_mode: `amount` events of `key` in `hour`
--   sessions: distinct sessions in `hour`;  distinct_sessions: distinct sessions in the whole range (no hour)
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
begin
    select p.live_version, c.position into strict live, folded
    from projections as p
    join checkpoints as c on c.projection = p.projection and c.version = p.live_version
    where p.projection = 'hourly' and c.shard = in_shard;

    return query
    with tail as materialized (
        select t.bucket, t.dimension, t.key, t.previous, t.amount
        from hourly_tail(in_shard, live, folded, head) as t
        where folded < head and t.bucket >= since and t.bucket < until
    ),
    counts as (
        select c.bucket, c.dimension, c.key, c.events
        from hourly_counts as c
        where c.shard = in_shard and c.version = live and c.bucket >= since and c.bucket < until
        union all
        select t.bucket, t.dimension, t.key, t.amount from tail as t where t.dimension is not null
    ),
    edges as materialized (
        select e.bucket, e.previous, e.sessions
        from hourly_edges as e
        where e.shard = in_shard and e.version = live and e.bucket >= since and e.bucket < until
        union all
        select t.bucket, t.previous, t.amount from tail as t where t.previous is not null
    )
    select c.dimension::text, hour_of(c.bucket), c.key, sum(c.events)::bigint
    from counts as c
    group by c.dimension, hour_of(c.bucket), c.key
    union all
    select 'sessions', hour_of(e.bucket), null, sum(e.sessions)::bigint
    from edges as e
    where e.previous < hour_of(e.bucket)
    group by hour_of(e.bucket)
    union all
    select 'distinct_sessions', null, null, coalesce(sum(e.sessions), 0)::bigint
    from edges as e
    where e.previous < since
    union all
    select 'position', null, null, head
    union all
    select 'lag_events', null, null, coalesce(sum(r.events), 0)::bigint
    from receipts as r
    where r.shard = in_shard and r.last_position > folded;
end
$$;
