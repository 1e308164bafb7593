-- Where one hour of the projection differs from a recount up to its checkpoint. Rows: one per difference, none when
-- all is right. For member rows only the numbers of missing and extra ones are given; other differences name their key.
create or replace function hourly_drift(in_shard integer, in_version integer, in_hour timestamptz)
returns table (field text, bucket timestamptz, key text, stored numeric, recounted numeric)
language sql stable
as $$
    with recount as materialized (
        select r.bucket, r.dimension, r.key, r.kind, r.member, r.amount
        from checkpoints as c
        cross join lateral hourly_recount($1, $3, c.position) as r
        where c.shard = $1 and c.projection = 'hourly' and c.version = $2
    ),
    counts as (
        select c.bucket, c.dimension, c.key, c.events
        from hourly_buckets($1, $2, $3, $3 + interval '1 hour') as c
    ),
    members as (
        select m.bucket, m.kind, m.member
        from hourly_members as m
        -- `+ 0`, because before the table is analyzed the planner would read the whole primary key.
        where m.shard = $1 and m.version + 0 = $2 and hour_of(m.bucket) = $3
    ),
    member_difference as (
        select
            hourly_measure(coalesce(m.kind, r.kind)) as measure,
            coalesce(m.bucket, r.bucket) as bucket,
            count(*) filter (where m.member is null) as missing,
            count(*) filter (where r.member is null) as extra
        from members as m
        full join (select r.bucket, r.kind, r.member from recount as r where r.member is not null) as r
            on r.bucket = m.bucket and r.kind = m.kind and r.member = m.member
        where m.member is null or r.member is null
        group by 1, 2
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
    select d.measure || '_missing', d.bucket, null, 0, d.missing from member_difference as d where d.missing > 0
    union all
    select d.measure || '_extra', d.bucket, null, d.extra, 0 from member_difference as d where d.extra > 0
    union all
    select d.field, d.bucket, d.key, d.stored, d.recounted from hourly_edges_drift($1, $2, $3) as d
$$;
