-- The last proof of each hour in each shard; see proofs_of_hours. For the views of the schema bi: their readers have
-- no rights on the tables that this function reads.
create or replace function bi_proofs()
returns table (
    hour timestamptz,
    events bigint,
    state text,
    current boolean,
    verified_at timestamptz,
    sealed_at timestamptz,
    site integer
)
language sql stable
security definer
-- pg_temp comes last, so that a caller's temporary table cannot shadow one of ours.
set search_path = public, pg_temp
as $$
    select p.hour, p.events, p.state, p.current, p.verified_at, p.sealed_at, h.site
    from site_shards as h
    cross join lateral proofs_of_hours(h.shard, 'hourly', '-infinity', 'infinity') as p
$$;
