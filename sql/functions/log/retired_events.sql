-- How many events of a shard were dropped with their days.
create or replace function retired_events(in_shard integer)
returns bigint
language sql stable
as $$
    select coalesce(sum(d.events), 0)::bigint from retired_days as d where d.shard = $1
$$;
