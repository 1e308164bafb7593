-- Adds to a shard's chain what came into a day that is closing: an amendment, and a new seal of each hour that changed (R11).
-- Adds nothing when no hour differs from its seal. The caller has verified the day; verified_*: the witnesses of that, an
-- element per hour.
-- Rows: one, why the day cannot be amended now, null when all its hours are sealed as they are.
create or replace function amend_day(
    in_shard integer,
    in_version integer,
    in_day date,
    verified_hours timestamptz[],
    verified_events bigint[],
    verified_high numeric[],
    verified_low numeric[],
    in_code_version text,
    clock timestamptz
)
returns text
language plpgsql volatile
as $$
declare
    since constant timestamptz := in_day::timestamp at time zone 'UTC';
    until constant timestamptz := since + interval '24 hours';
    opened opened_days;
    hours json;
    changed timestamptz[];
begin
    -- As in seal_hour.
    perform from checkpoints as c
    where c.shard = in_shard and c.stage <> 'filling'
    order by c.projection, c.version
    for update;
    select o.* into opened
    from opened_days as o
    where o.day = in_day and o.stage = 'closing';
    if not found then
        return 'not closing';
    end if;
    if exists (
        select from receipts as r
        join checkpoints as c on c.shard = r.shard and c.stage <> 'filling' and c.position < r.last_position
        where r.shard = in_shard and r.hour >= since and r.hour < until
    ) then
        return 'not folded';
    end if;
    if not exists (
        select from checkpoints as c
        where c.shard = in_shard and c.projection = 'hourly' and c.version = in_version
    ) or exists (
        select
        from appended_numbers(in_shard, since, until) as a
        left join unnest(verified_hours, verified_events, verified_high, verified_low) as v (hour, events, high, low)
            on v.hour = a.hour
        where (a.events, a.digest_high, a.digest_low) is distinct from (v.events, v.high, v.low)
    ) then
        return 'not verified as it is now';
    end if;

    select
        array_agg(a.hour order by a.hour),
        json_agg(
            json_build_object(
                'hour', to_char(a.hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
                'before', sealed_numbers(s.events, s.position_sum, s.digest_high, s.digest_low),
                'after', sealed_numbers(a.events, a.position_sum, a.digest_high, a.digest_low)
            )
            order by a.hour
        )
    into changed, hours
    from appended_numbers(in_shard, since, until) as a
    left join lateral seal_of(in_shard, a.hour) as s on true
    where (s.events, s.position_sum, s.digest_high, s.digest_low)
        is distinct from (a.events, a.position_sum, a.digest_high, a.digest_low);
    if changed is null then
        return null;
    end if;
    perform write_amendment(
        in_shard, in_day, 'history', opened.reason, opened.asked_by, hours, in_code_version, clock
    );
    perform write_seal(in_shard, in_version, c.hour, in_code_version, clock)
    from unnest(changed) with ordinality as c (hour, place)
    order by c.place;
    return null;
end
$$;
