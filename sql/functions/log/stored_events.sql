-- How many events a shard ever stored, by its witnesses.
create or replace function stored_events(in_shard integer)
returns bigint
language sql stable
as $$
    select (
        coalesce((select t.compacted from shard_totals as t where t.shard = $1), 0)
        + coalesce((select sum(r.events) from receipts as r where r.shard = $1), 0)
    )::bigint
$$;
