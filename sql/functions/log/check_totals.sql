-- How many events a shard ever stored, by its witnesses, and how many are live in the log or were retired: stored =
-- live + retired. An earlier statement of the caller locks `events`, so that no day is dropped meanwhile. Rows: one.
create or replace function check_totals(in_shard integer)
returns table (stored bigint, live bigint, retired bigint)
language sql stable
as $$
    select stored_events($1), (select count(*) from events as e where e.shard = $1), retired_events($1)
$$;
