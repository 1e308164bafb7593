-- Where one hour of the projection differs from a recount up to its checkpoint. Rows: one per difference, none when all is right.
-- Session rows are told by number only (missing, extra); the rest by key.
create or replace function hourly_drift(in_shard integer, in_version integer, in_hour timestamptz)
returns table (field text, bucket timestamptz, key text, stored numeric, recounted numeric)
language sql stable
as $$
    with recount as materialized (
        select r.bucket, r.dimension, r.key, r.session_id, r.amount
        from checkpoints as c
        cross join lateral hourly_recount($1, $3, c.position) as r
        where c.shard = $1 and c.projection = 'hourly' and c.version = $2
    ),
    counts as (
        select c.bucket, c.dimension, c.key, c.events
        from hourly_buckets($1, $2, $3, $3 + interval '1 hour') as c
    ),
    sessions as (
        select s.bucket, s.session_id
        from hourly_sessions as s
        -- `+ 0`: before the table is analyzed, the planner would read the primary key from end to end.
        where s.shard = $1 and s.version + 0 = $2 and hour_of(s.bucket) = $3
    ),
    session_difference as (
        select
            coalesce(s.bucket, r.bucket) as bucket,
            count(*) filter (where s.session_id is null) as missing,
            count(*) filter (where r.session_id is null) as extra
        from sessions as s
        full join (select r.bucket, r.session_id from recount as r where r.session_id is not null) as r
            on r.bucket = s.bucket and r.session_id = s.session_id
        where s.session_id is null or r.session_id is null
        group by coalesce(s.bucket, r.bucket)
    )
    select
        case coalesce(c.dimension, r.dimension)
            when 'event_type' then 'event_counts'
            when 'tool_name' then 'tool_usage'
            when 'risk_mode' then 'risk_distribution'
        end,
        coalesce(c.bucket, r.bucket), coalesce(c.key, r.key), coalesce(c.events, 0), coalesce(r.amount, 0)
    from counts as c
    full join (select r.bucket, r.dimension, r.key, r.amount from recount as r where r.dimension is not null) as r
        on r.bucket = c.bucket and r.dimension = c.dimension and r.key = c.key
    where c.events is distinct from r.amount
    union all
    select 'sessions_missing', d.bucket, null, 0, d.missing from session_difference as d where d.missing > 0
    union all
    select 'sessions_extra', d.bucket, null, d.extra, 0 from session_difference as d where d.extra > 0
    union all
    select d.field, d.bucket, d.key, d.stored, d.recounted from hourly_edges_drift($1, $2, $3) as d
$$;
