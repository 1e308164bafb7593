-- Where the edges of one hour differ from a recount of the member rows. Rows: one per difference, none when all is
-- right.
create or replace function hourly_edges_drift(in_shard integer, in_version integer, in_hour timestamptz)
returns table (field text, bucket timestamptz, key text, stored numeric, recounted numeric)
language sql stable
as $$
    with edges as (
        select e.kind, e.bucket, e.previous, e.members
        from hourly_edges as e
        where e.shard = $1 and e.version = $2 and e.kind = any (enum_range(null::hourly_member))
            and e.bucket >= $3 and e.bucket < $3 + interval '1 hour' and e.members <> 0
    )
    select
        coalesce(e.kind, r.kind) || '_edges', coalesce(e.bucket, r.bucket), coalesce(e.previous, r.previous)::text,
        coalesce(e.members, 0)::numeric, coalesce(r.members, 0)::numeric
    from edges as e
    full join hourly_edges_recount($1, $2, quarters_of($3)) as r
        on r.kind = e.kind and r.bucket = e.bucket and r.previous = e.previous
    where e.members is distinct from r.members
$$;
