-- Replaces one hour of the projection by a recount up to its checkpoint, under the checkpoint's lock. Writes only rows
-- that differ. The caller has checked that the hour's log is whole, or has read the hour's file when the day is kept
-- (R10). With `carried_from`, the rows of that version replace the recount; the caller has folded both versions to one
-- position. Rows: one, the number of rows written.
create or replace function rebuild_hourly(
    in_shard integer,
    in_version integer,
    in_hour timestamptz,
    carried_from integer default null
)
returns bigint
language plpgsql volatile
-- Before the tables are analyzed, the planner takes an hour for so small that a nested loop over its rows seems cheap.
set enable_nestloop = off
as $$
declare
    upto bigint;
    rows_written bigint;
    later_buckets timestamptz[];
begin
    select c.position into upto
    from checkpoints as c
    where c.shard = in_shard and c.projection = 'hourly' and c.version = in_version
    for update;
    if upto is null then
        raise exception 'version % of hourly has ended', in_version using errcode = 'no_data_found';
    end if;

    with recount as materialized (
        select r.bucket, r.dimension, r.key, r.kind, r.member, r.amount
        from hourly_recount(in_shard, in_hour, upto) as r
        where carried_from is null
        union all
        select s.bucket, s.dimension, s.key, s.kind, s.member, s.amount
        from hourly_stored(in_shard, carried_from, in_hour) as s
        where carried_from is not null
    ),
    uncounted as (
        delete from hourly_counts as c
        where c.shard = in_shard and c.version = in_version and c.hour = in_hour
            and not exists (select from recount as r where r.dimension = c.dimension and r.key = c.key)
        returning 1
    ),
    counted as (
        insert into hourly_counts as c (shard, version, hour, dimension, key, events_00, events_15, events_30, events_45)
        select
            in_shard, in_version, in_hour, r.dimension, r.key,
            sum(events_in(0, r.bucket, r.amount)),
            sum(events_in(15, r.bucket, r.amount)),
            sum(events_in(30, r.bucket, r.amount)),
            sum(events_in(45, r.bucket, r.amount))
        from recount as r
        where r.dimension is not null
        group by r.dimension, r.key
        on conflict (shard, version, hour, dimension, key) do update set
            events_00 = excluded.events_00,
            events_15 = excluded.events_15,
            events_30 = excluded.events_30,
            events_45 = excluded.events_45
        where (c.events_00, c.events_15, c.events_30, c.events_45)
            <> (excluded.events_00, excluded.events_15, excluded.events_30, excluded.events_45)
        returning 1
    ),
    departed as (
        delete from hourly_members as m
        -- `+ 0`, because before the table is analyzed the planner would read the whole primary key.
        where m.shard = in_shard and m.version + 0 = in_version and hour_of(m.bucket) = in_hour
            and not exists (
                select from recount as r where r.bucket = m.bucket and r.kind = m.kind and r.member = m.member
            )
        returning m.kind, m.member
    ),
    arrived as (
        insert into hourly_members (shard, version, bucket, kind, member)
        select in_shard, in_version, r.bucket, r.kind, r.member
        from recount as r
        where r.member is not null
        on conflict (shard, version, kind, member, bucket) do nothing
        returning kind, member
    ),
    -- A member row that came or went here may change the previous bucket of that member's next row.
    touched as materialized (
        select d.kind, d.member from departed as d union select a.kind, a.member from arrived as a
    ),
    later as (
        select distinct next.bucket
        from touched as t
        cross join lateral (
            select m.bucket
            from hourly_members as m
            where m.shard = in_shard and m.version = in_version
                and m.kind = t.kind and m.member = t.member and m.bucket >= in_hour + interval '1 hour'
            order by m.bucket
            limit 1
        ) as next
    )
    select
        (select count(*) from uncounted) + (select count(*) from counted)
            + (select count(*) from departed) + (select count(*) from arrived),
        (select coalesce(array_agg(l.bucket), '{}') from later as l)
    into rows_written, later_buckets;

    return rows_written + rebuild_hourly_derived(in_shard, in_version, in_hour, later_buckets);
end
$$;
