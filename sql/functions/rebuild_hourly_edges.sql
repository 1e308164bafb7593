-- Replaces the edges of some buckets by a recount from the member rows. The caller holds the checkpoint.
-- Rows: one, the number of rows written.
create or replace function rebuild_hourly_edges(in_shard integer, in_version integer, buckets timestamptz[])
returns bigint
language sql volatile
as $$
    with recount as materialized (
        select r.kind, r.bucket, r.previous, r.members from hourly_edges_recount($1, $2, $3) as r
    ),
    removed as (
        delete from hourly_edges as e
        -- An edge that late events emptied is none already.
        where e.shard = $1 and e.version = $2 and e.kind = any (enum_range(null::hourly_member)) and e.bucket = any ($3)
            and e.members <> 0
            and not exists (
                select from recount as r where r.kind = e.kind and r.bucket = e.bucket and r.previous = e.previous
            )
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
