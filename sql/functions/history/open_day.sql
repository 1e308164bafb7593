-- Opens a day before the horizon, so that it takes history (R11). Its events are in the log then: they were there, are
-- attached again, or were just restored from the archive. moment: the time that passed, or null.
-- Rows: one (hindrance: null when the day is open; passes: it passes by itself).
create or replace function open_day(in_day date, in_reason text, in_asked_by text, moment timestamptz)
returns table (hindrance text, passes boolean)
language plpgsql volatile
-- As in detach_day: others wait behind this.
set lock_timeout = '200ms'
as $$
declare
    found_now record;
    has_rows boolean := true;
begin
    -- A verify or rebuild of the day holds this row, and then asks for a checkpoint. Appends must not wait for its end, so
    -- this comes before any lock on the log.
    perform from archived_days as a where a.day = in_day for update;
    perform from checkpoints as c where c.stage <> 'filling' order by c.shard, c.projection, c.version for update;
    -- Waits for a pass of retention that is dropping the day's rows, so that the state below is the one after it.
    perform from leaving_days as l where l.day = in_day for update;
    select h.state, h.hindrance, h.passes into found_now from history_day(in_day, moment) as h;
    if found_now.hindrance is null and found_now.state = 'kept' and to_regclass(restored_table(in_day)) is null then
        found_now.hindrance := 'its events have just left the log';
    elsif found_now.hindrance is null and found_now.state = 'in the log' and exists (
        select
        from log_heads as h
        cross join lateral appended_numbers(
            h.shard, in_day::timestamp at time zone 'UTC', (in_day + 1)::timestamp at time zone 'UTC'
        ) as a
        left join lateral seal_of(h.shard, a.hour) as s on true
        where (s.events, s.position_sum, s.digest_high, s.digest_low)
            is distinct from (a.events, a.position_sum, a.digest_high, a.digest_low)
    ) then
        found_now.hindrance := 'it is not sealed as it is';
    end if;
    if found_now.hindrance is not null then
        return query select found_now.hindrance::text, found_now.passes;
        return;
    end if;
    insert into opened_days (day, stage, reason, asked_by, opened_at)
    values (in_day, 'open', in_reason, in_asked_by, clock_timestamp())
    on conflict (day) do update set
        stage = excluded.stage, reason = excluded.reason, asked_by = excluded.asked_by, opened_at = excluded.opened_at;
    delete from retired_days as r where r.day = in_day;
    delete from archived_days as a where a.day = in_day;
    if found_now.state = 'detached' then
        has_rows := attach_day(in_day, '-infinity');
    elsif found_now.state = 'kept' then
        perform attach_restored(in_day);
    elsif found_now.state = 'new' then
        has_rows := make_day(in_day);
    end if;
    if not has_rows then
        raise exception 'day % is not opened: the log has no partition of it, and % cannot become one',
            in_day, day_partition(in_day);
    end if;
    -- A quarantine may reach further back than the log did when it was put, so it comes into force where nothing was. Where
    -- events were, the numbers would be wrong until a rebuild, and only the command puts it in force.
    insert into quarantined_days (shard, day, quarantine)
    select s.shard, in_day, q.number
    from quarantines as q
    cross join lateral unnest(q.shards) as s (shard)
    where q.lifted_at is null
        and q.since < (in_day + 1)::timestamp at time zone 'UTC' and q.until > in_day::timestamp at time zone 'UTC'
        and not exists (
            select
            from appended_hours(
                s.shard, in_day::timestamp at time zone 'UTC', (in_day + 1)::timestamp at time zone 'UTC'
            ) as a
            where a.events > 0
        )
    on conflict do nothing;
    return query select null::text, true;
end
$$;
