-- Takes the events of a day that is closed, folded and sealed in every shard out of the log (R6), and records their
-- number. They stay in a table of their own until `until` (R13).
-- proven: files of the archive that were just proven, when the archive keeps the day from now on: they must hold all of it
-- (R10). Null when its events are to be kept no longer.
-- Rows: one:
--   hindrance: why the day was not detached, null when it was
--   failed: the hindrance does not pass by itself: something is wrong
create or replace function detach_day(in_day date, until_then timestamptz, clock timestamptz, proven text[])
returns table (hindrance text, failed boolean)
language plpgsql volatile
-- While this waits for its lock, readers and appends wait behind it. A verify or rebuild takes the two locks in the
-- other order; this function gives up long before PostgreSQL looks for a deadlock.
set lock_timeout = '200ms'
as $$
declare
    since constant timestamptz := in_day::timestamp at time zone 'UTC';
    until constant timestamptz := since + interval '24 hours';
    present boolean;
begin
    perform from checkpoints as c where c.stage <> 'filling' order by c.shard, c.projection, c.version for update;
    perform hold_day(since);
    -- Another pass may have taken the day just now.
    present := exists (select from log_days() as p where p.day = in_day);
    select w.hindrance, w.failed into hindrance, failed
    from (
        values
            (1, not present, 'gone', false),
            (
                2,
                exists (select from log_heads as h where h.horizon < until)
                    or exists (select from opened_days as o where o.day = in_day),
                'open', false
            ),
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
                    left join lateral seal_of(h.shard, h.hour) as s on true
                    where (s.events, s.position_sum, s.digest_high, s.digest_low)
                        is distinct from (a.events, a.position_sum, a.digest_high, a.digest_low)
                ),
                'not as it was sealed', true
            ),
            (7, proven is not null and not is_archived(in_day, proven), 'not in the archive yet', false)
    ) as w (place, holds, hindrance, failed)
    where w.holds
    order by w.place
    limit 1;
    if not found then
        execute format('alter table events detach partition %I', day_partition(in_day));
        -- A detached table loses the triggers that it had as a part of the log.
        execute format(
            'create trigger detached_events_are_append_only before update or delete on %I'
            ' for each row execute function refuse_change()',
            day_partition(in_day)
        );
        insert into leaving_days as l (day, stage, until)
        values (in_day, 'detached', until_then)
        on conflict (day) do update set stage = excluded.stage, until = excluded.until;
        insert into retired_days (shard, day, events, retired_at)
        select h.shard, in_day, sealed_events(h.shard, in_day), coalesce(clock, clock_timestamp())
        from log_heads as h;
        if proven is not null then
            insert into archived_days (day, stage) values (in_day, 'kept');
        end if;
        failed := false;
    end if;
    return next;
end
$$;
