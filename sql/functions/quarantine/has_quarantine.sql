-- Whether a quarantine is in force on any UTC day of [since, until) in a shard.
create or replace function has_quarantine(in_shard integer, since timestamptz, until timestamptz)
returns boolean
language sql stable
as $$
    select exists (
        select
        from quarantined_days as d
        where d.shard = $1 and d.day >= ($2 at time zone 'UTC')::date and d.day::timestamp at time zone 'UTC' < $3
    )
$$;
