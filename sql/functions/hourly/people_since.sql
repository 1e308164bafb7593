-- The hour from which on the projection counts users and identified sessions of a shard, or -infinity.
create or replace function people_since(in_shard integer)
returns timestamptz
language sql stable
as $$
    select coalesce((select t.people_since from shard_totals as t where t.shard = $1), '-infinity')
$$;
