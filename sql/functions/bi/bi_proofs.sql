-- The last proof of each hour in each shard; see proofs_of_hours.
-- Views of the schema bi call it, because their readers may not read its tables.
create or replace function bi_proofs()
returns table (
    hour timestamptz,
    events bigint,
    state text,
    current boolean,
    verified_at timestamptz,
    sealed_at timestamptz
)
language sql stable
security definer
-- pg_temp comes last, so that a caller's temporary objects cannot take the place of ours.
set search_path = public, pg_temp
as $$
    select p.hour, p.events, p.state, p.current, p.verified_at, p.sealed_at
    from log_heads as h
    cross join lateral proofs_of_hours(h.shard, 'hourly', '-infinity', 'infinity') as p
$$;
