-- Drops the events of a day that is closed, folded and sealed in every shard (R6), and keeps their number.
-- Rows: one, why it was not dropped: null when it was.
create or replace function drop_day(day date, clock timestamptz)
returns text
language plpgsql volatile
-- Whoever waits for this lock keeps readers and appends waiting behind it.
set lock_timeout = '200ms'
as $$
declare
    since constant timestamptz := day::timestamp at time zone 'UTC';
    until constant timestamptz := since + interval '24 hours';
begin
    perform from checkpoints as c order by c.shard, c.projection, c.version for update;
    if exists (select from log_heads as h where h.horizon < until) then
        return 'open';
    end if;
    if exists (
        select from receipts as r
        join checkpoints as c on c.shard = r.shard and c.position < r.last_position
        where r.hour >= since and r.hour < until
    ) or exists (select from checkpoints as c where c.stage = 'filling') then
        return 'not folded';
    end if;
    if exists (
        select
        from (
            select l.shard, l.hour from hour_ledger as l where l.hour >= since and l.hour < until
            union
            select r.shard, r.hour from receipts as r where r.hour >= since and r.hour < until
        ) as h
        cross join lateral appended(h.shard, h.hour) as a
        left join hour_seals as s on s.shard = h.shard and s.hour = h.hour
        where (s.events, s.position_sum, s.digest_high, s.digest_low)
            is distinct from (a.events, a.position_sum, a.digest_high, a.digest_low)
    ) then
        return 'not sealed';
    end if;
    if to_regclass(day_partition(day)) is null then
        return 'gone';
    end if;
    execute format('drop table %I', day_partition(day));
    insert into retired_days (shard, day, events, retired_at)
    select h.shard, drop_day.day, coalesce(sum(s.events), 0), coalesce(clock, clock_timestamp())
    from log_heads as h
    left join hour_seals as s on s.shard = h.shard and s.hour >= since and s.hour < until
    group by h.shard;
    return null;
end
$$;
