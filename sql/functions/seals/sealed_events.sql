-- The number of events of a shard's day, from the seals of its hours.
create or replace function sealed_events(in_shard integer, day date)
returns bigint
language sql stable
as $$
    select coalesce(sum(s.events), 0)::bigint
    from hour_seals as s
    where s.shard = $1
        and s.hour >= $2::timestamp at time zone 'UTC' and s.hour < ($2 + 1)::timestamp at time zone 'UTC'
$$;
