-- How many events a shard ever stored, by its witnesses, and how many are live in the log or were retired: stored =
-- live + retired. An earlier statement of the caller locks `events`, so that no day is dropped meanwhile. Rows: one.
create or replace function check_totals(in_shard integer)
returns table (stored bigint, live bigint, retired bigint)
language plpgsql stable
as $$
begin
    return query
    select stored_events(in_shard), (select count(*) from events as e where e.shard = in_shard), retired_events(in_shard);
end
$$;
