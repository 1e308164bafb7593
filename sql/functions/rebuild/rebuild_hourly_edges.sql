-- Replaces the edges of some buckets by a recount from the member rows. The caller holds the checkpoint's lock.
-- Rows: one, the number of rows written.
create or replace function rebuild_hourly_edges(in_shard integer, in_version integer, buckets timestamptz[])
returns bigint
language sql volatile
as $$
    with recount as materialized (
        select r.kind, r.bucket, r.previous, r.members from hourly_edges_recount($1, $2, $3) as r
    ),
    stored as materialized (
        select k.kind, b.bucket, e.previous, e.place
        from unnest(enum_range(null::hourly_member)) as k (kind)
        cross join (select distinct bucket from unnest($3) as b (bucket)) as b
        cross join lateral (
            select e.previous, e.ctid as place
            from hourly_edges as e
            -- An edge that late events reduced to 0 members counts as absent.
            where e.shard = $1 and e.version = $2 and e.kind = k.kind and e.bucket = b.bucket and e.members <> 0
            offset 0  -- one look-up per kind and bucket, whatever row count the planner expects
        ) as e
    ),
    removed as (
        delete from hourly_edges as e
        where e.ctid = any (array(
            select s.place
            from stored as s
            where not exists (
                select from recount as r where r.kind = s.kind and r.bucket = s.bucket and r.previous = s.previous
            )
        ))
        returning 1
    ),
    replaced as (
        insert into hourly_edges as e (shard, version, kind, bucket, previous, members)
        select $1, $2, r.kind, r.bucket, r.previous, r.members from recount as r
        on conflict (shard, version, kind, bucket, previous) do update set members = excluded.members
        where e.members <> excluded.members
        returning 1
    )
    select (select count(*) from removed) + (select count(*) from replaced)
$$;
