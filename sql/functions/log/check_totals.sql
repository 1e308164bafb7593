-- How many events a shard ever stored, by its witnesses, and how many are live in the log, were retired or were erased:
-- stored = live + retired + erased. An earlier statement of the caller locks `events`, so that no day is dropped meanwhile. Rows: one.
create or replace function check_totals(in_shard integer)
returns table (stored bigint, live bigint, retired bigint, erased bigint)
language plpgsql stable
as $$
begin
    return query
    select
        stored_events(in_shard),
        (select count(*) from events as e where e.shard = in_shard),
        retired_events(in_shard),
        coalesce((select t.erased from shard_totals as t where t.shard = in_shard), 0);
end
$$;
