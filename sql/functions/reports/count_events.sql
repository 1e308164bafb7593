-- The exact number of events in [since, until) in one shard, in one snapshot. Whole quarters of an hour are counted
-- from the projection, the rest from the log. `until` is a whole quarter, or infinity. Rows: one, null where a quarantine is
-- in force, because the projection does not know the events that it leaves out.
create or replace function count_events(in_shard integer, since timestamptz, until timestamptz)
returns bigint
language plpgsql stable
set plan_cache_mode = 'force_custom_plan'
as $$
declare
    live integer;
    folded bigint;
    head bigint;
    first_whole constant timestamptz := quarter_of(since - interval '1 microsecond') + interval '15 minutes';
    first_whole_hour constant timestamptz := hour_of(since - interval '1 microsecond') + interval '1 hour';
    last_hour constant timestamptz := hour_of(until);
    total bigint;
begin
    if has_quarantine(in_shard, since, until) then
        return null;
    end if;
    select s.version, s.folded, s.head into strict live, folded, head from hourly_standing(in_shard) as s;

    select
        (
            select coalesce(sum(c.events_00 + c.events_15 + c.events_30 + c.events_45), 0)
            from hourly_counts as c
            where c.shard = in_shard and c.version = live and c.hour >= first_whole_hour and c.hour < last_hour
                and c.dimension = 'event_type'
        )
        + (
            select coalesce(sum(c.events), 0)
            -- The hours that the range cuts.
            from (
                values (hour_of(first_whole), first_whole_hour), (greatest(first_whole_hour, last_hour), until)
            ) as cut (first_hour, end_hour)
            cross join lateral hourly_buckets(in_shard, live, cut.first_hour, cut.end_hour) as c
            where c.bucket >= first_whole and c.bucket < until and c.dimension = 'event_type'
        )
        + (
            select coalesce(sum(t.amount), 0)
            from hourly_tail(in_shard, live, folded, head, '{}') as t
            where folded < head and t.bucket >= first_whole and t.bucket < until
                and t.dimension = 'event_type'
        )
        + (
            select count(*)
            from events as e
            where e.shard = in_shard and e.timestamp >= since and e.timestamp < least(first_whole, until)
        )
    into total;
    return total;
end
$$;
