-- The earliest timestamp that a shard accepts: the start of the UTC day `retention_days` ago, but never before the
-- stored horizon.
create or replace function horizon_at(stored timestamptz, retention_days integer, moment timestamptz)
returns timestamptz
language sql stable parallel safe
as $$
    select greatest($1, date_trunc('day', $3, 'UTC') - make_interval(hours => 24 * $2))
$$;
