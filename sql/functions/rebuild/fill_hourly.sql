-- Fills one hour of a version in the stage filling: counts and member rows. They are a recount up to the version's
-- position, or copies of the live version's rows when the events are gone. An earlier statement of the caller holds
-- the day (R6), and has read the hour's file when the day is kept (R10).
-- Rows: one, false when the hour was filled before, or the version is no longer filling.
create or replace function fill_hourly(in_shard integer, in_version integer, in_hour timestamptz, live_version integer)
returns boolean
language plpgsql volatile
set plan_cache_mode = 'auto'
as $$
declare
    upto bigint;
    gone constant boolean := exists (
        select from retired_days as d where d.shard = in_shard and d.day = (in_hour at time zone 'UTC')::date
    ) and not is_kept((in_hour at time zone 'UTC')::date);
begin
    perform plan_once();
    -- Fills share the lock; connect_hourly, which ends the filling, waits for them.
    select c.position into upto
    from checkpoints as c
    where c.shard = in_shard and c.projection = 'hourly' and c.version = in_version and c.stage = 'filling'
    for share;
    insert into hourly_fills (shard, version, hour)
    select in_shard, in_version, in_hour where upto is not null
    on conflict (shard, version, hour) do nothing;
    if not found then
        return false;
    end if;
    with rows as materialized (
        select r.bucket, r.dimension, r.key, r.kind, r.member, r.amount
        from hourly_recount(in_shard, in_hour, upto) as r
        where not gone
        union all
        select s.bucket, s.dimension, s.key, s.kind, s.member, s.amount
        from hourly_stored(in_shard, live_version, in_hour) as s
        where gone
    ),
    counted as (
        insert into hourly_counts (shard, version, hour, dimension, key, events_00, events_15, events_30, events_45)
        select
            in_shard, in_version, in_hour, r.dimension, r.key,
            sum(events_in(0, r.bucket, r.amount)),
            sum(events_in(15, r.bucket, r.amount)),
            sum(events_in(30, r.bucket, r.amount)),
            sum(events_in(45, r.bucket, r.amount))
        from rows as r
        where r.dimension is not null
        group by r.dimension, r.key
    )
    insert into hourly_members (shard, version, bucket, kind, member)
    select in_shard, in_version, r.bucket, r.kind, r.member
    from rows as r
    where r.member is not null
    order by r.kind, r.member;  -- in the order of the primary key, so that each of its pages is visited once
    return true;
end
$$;
