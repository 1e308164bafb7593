-- Drops the events of a day that is closed, folded and sealed in every shard (R6), and records their number.
-- Rows: one:
--   hindrance: why the day was not dropped, null when it was
--   failed: the hindrance does not pass by itself: something is wrong
create or replace function drop_day(in_day date, clock timestamptz)
returns table (hindrance text, failed boolean)
language plpgsql volatile
-- While this waits for its lock, readers and appends wait behind it. A verify or rebuild takes the two locks in the
-- other order; this function gives up long before PostgreSQL looks for a deadlock.
set lock_timeout = '200ms'
as $$
declare
    since constant timestamptz := in_day::timestamp at time zone 'UTC';
    until constant timestamptz := since + interval '24 hours';
    held boolean;
begin
    perform from checkpoints as c where c.stage <> 'filling' order by c.shard, c.projection, c.version for update;
    -- Another pass may have dropped the day just now; then this is false.
    held := hold_day(since);
    select w.hindrance, w.failed into hindrance, failed
    from (
        values
            (1, not held, 'gone', false),
            (2, exists (select from log_heads as h where h.horizon < until), 'open', false),
            (3, exists (select from checkpoints as c where c.stage = 'filling'), 'being rebuilt', false),
            (
                4,
                exists (
                    select from receipts as r
                    join checkpoints as c on c.shard = r.shard and c.position < r.last_position
                    where r.hour >= since and r.hour < until
                ),
                'not folded', false
            ),
            (5, exists (select from retired_days as d where d.day = in_day), 'there again: it was dropped before', true),
            (
                6,
                exists (
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
                ),
                'not as it was sealed', true
            )
    ) as w (place, holds, hindrance, failed)
    where w.holds
    order by w.place
    limit 1;
    if not found then
        execute format('drop table %I', day_partition(in_day));
        insert into retired_days (shard, day, events, retired_at)
        select h.shard, in_day, sealed_events(h.shard, in_day), coalesce(clock, clock_timestamp())
        from log_heads as h;
        failed := false;
    end if;
    return next;
end
$$;
