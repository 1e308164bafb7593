-- How many events a shard ever stored, by its witnesses, and how many are live in the log or were retired: stored =
-- live + retired. An earlier statement of the caller locks `events`, so that no day is dropped meanwhile. Rows: one.
create or replace function check_totals(in_shard integer)
returns table (stored bigint, live bigint, retired bigint)
language sql stable
as $$
    select
        (
            coalesce((select t.compacted from shard_totals as t where t.shard = $1), 0)
            + coalesce((select sum(r.events) from receipts as r where r.shard = $1), 0)
        )::bigint,
        (select count(*) from events as e where e.shard = $1),
        coalesce((select sum(d.events) from retired_days as d where d.shard = $1), 0)::bigint
$$;
