-- The edges of some buckets, recounted from the member rows. Rows: one per kind, bucket and previous bucket.
create or replace function hourly_edges_recount(in_shard integer, in_version integer, buckets timestamptz[])
returns table (kind hourly_member, bucket timestamptz, previous timestamptz, members bigint)
language sql stable
as $$
    select m.kind, m.bucket, coalesce(former.bucket, '-infinity'), count(*)
    from hourly_members as m
    left join lateral (
        select p.bucket
        from hourly_members as p
        where p.shard = $1 and p.version = $2 and p.kind = m.kind and p.member = m.member and p.bucket < m.bucket
        order by p.bucket desc
        limit 1
    ) as former on true
    -- `+ 0` and `is true` keep the planner from reading the whole primary key: PostgreSQL 18 would do so as a skip
    -- scan, other versions before the table is analyzed.
    where m.shard = $1 and m.version + 0 = $2 and (m.bucket = any ($3)) is true
        and hour_of(m.bucket) = any (array(select distinct hour_of(b) from unnest($3) as b))
    group by m.kind, m.bucket, coalesce(former.bucket, '-infinity')
$$;
