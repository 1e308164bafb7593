-- The edges of some buckets, counted anew from the session rows. Rows: one per bucket and previous bucket.
create or replace function hourly_edges_recount(in_shard integer, in_version integer, buckets timestamptz[])
returns table (bucket timestamptz, previous timestamptz, sessions bigint)
language sql stable
as $$
    select s.bucket, coalesce(former.bucket, '-infinity'), count(*)
    from hourly_sessions as s
    left join lateral (
        select p.bucket
        from hourly_sessions as p
        where p.shard = $1 and p.version = $2 and p.session_id = s.session_id and p.bucket < s.bucket
        order by p.bucket desc
        limit 1
    ) as former on true
    -- `+ 0` and `is true`: else the planner would read the primary key from end to end, which PostgreSQL 18 takes for a
    -- skip scan, and other versions before the table is analyzed.
    where s.shard = $1 and s.version + 0 = $2 and (s.bucket = any ($3)) is true
        and hour_of(s.bucket) = any (array(select distinct hour_of(b) from unnest($3) as b))
    group by s.bucket, coalesce(former.bucket, '-infinity')
$$;
