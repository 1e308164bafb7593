-- Applies to the projection's rows what the events at positions (after, upto] change. The caller holds the
-- checkpoint's lock.
create or replace function apply_hourly(in_shard integer, in_version integer, after bigint, upto bigint)
returns void
language sql volatile
-- Enough to sort and join a fold of many sessions in memory.
set work_mem = '32MB'
as $$
    with tail as materialized (
        select t.bucket, t.dimension, t.key, t.kind, t.member, t.previous, t.amount
        from hourly_tail($1, $2, $3, $4, enum_range(null::hourly_member)::text[]) as t
    ),
    counted as (
        insert into hourly_counts as c (shard, version, hour, dimension, key, events_00, events_15, events_30, events_45)
        select
            $1, $2, hour_of(t.bucket), t.dimension, t.key,
            sum(events_in(0, t.bucket, t.amount)),
            sum(events_in(15, t.bucket, t.amount)),
            sum(events_in(30, t.bucket, t.amount)),
            sum(events_in(45, t.bucket, t.amount))
        from tail as t
        where t.dimension is not null
        group by hour_of(t.bucket), t.dimension, t.key
        on conflict (shard, version, hour, dimension, key) do update set
            events_00 = c.events_00 + excluded.events_00,
            events_15 = c.events_15 + excluded.events_15,
            events_30 = c.events_30 + excluded.events_30,
            events_45 = c.events_45 + excluded.events_45
    ),
    -- Documents of the changed hours are out of date, so they go in the same transaction.
    outdated as (
        delete from hourly_documents as d
        where d.shard = $1 and d.version = $2
            and d.hour in (select hour_of(t.bucket) from tail as t where t.dimension is not null)
    ),
    active as (
        insert into hourly_members (shard, version, bucket, kind, member)
        select $1, $2, t.bucket, t.kind, t.member from tail as t where t.member is not null
    )
    insert into hourly_edges as e (shard, version, kind, bucket, previous, members)
    select $1, $2, t.kind, t.bucket, t.previous, t.amount from tail as t where t.previous is not null
    on conflict (shard, version, kind, bucket, previous) do update set members = e.members + excluded.members
$$;
