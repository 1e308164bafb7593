-- Where the edges of one hour differ from a recount from the session rows. Rows: one per difference, none when all is right.
create or replace function hourly_edges_drift(in_shard integer, in_version integer, in_hour timestamptz)
returns table (field text, bucket timestamptz, key text, stored numeric, recounted numeric)
language sql stable
as $$
    with edges as (
        select e.bucket, e.previous, e.sessions
        from hourly_edges as e
        where e.shard = $1 and e.version = $2 and e.bucket >= $3 and e.bucket < $3 + interval '1 hour'
            and e.sessions <> 0
    )
    select
        'session_edges', coalesce(e.bucket, r.bucket), coalesce(e.previous, r.previous)::text,
        coalesce(e.sessions, 0)::numeric, coalesce(r.sessions, 0)::numeric
    from edges as e
    full join hourly_edges_recount($1, $2, quarters_of($3)) as r
        on r.bucket = e.bucket and r.previous = e.previous
    where e.sessions is distinct from r.sessions
$$;
