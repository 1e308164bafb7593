-- The hour before which retention has deleted the rollups of a shard, or -infinity.
create or replace function rollups_since(in_shard integer)
returns timestamptz
language sql stable
as $$
    select coalesce((select t.rollups_since from shard_totals as t where t.shard = $1), '-infinity')
$$;
