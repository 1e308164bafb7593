-- The number of events of a shard's day, from the seals of its hours.
create or replace function sealed_events(in_shard integer, day date)
returns bigint
language sql stable
as $$
    select coalesce(sum(s.events), 0)::bigint
    from seals_in_force($1, $2::timestamp at time zone 'UTC', ($2 + 1)::timestamp at time zone 'UTC') as s
$$;
