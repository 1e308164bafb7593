-- Accepts that the events of an hour are not those that were appended: from now on the ledger says what is there. An amendment
-- says what was (R11). The hour is rebuilt in every version, and sealed anew if it was sealed. An earlier statement of the
-- caller holds the day (R6).
-- gap: how many events more there are in the whole shard than were ever stored, null when they cannot be counted. It tells
-- whether the log was changed or the ledger: only then the shard's total is another one.
-- Rows: one:
--   hindrance: why nothing was accepted, null when the damage was
--   events_before, events_after: how many events were appended, and how many are there
create or replace function accept_damage(
    in_shard integer,
    in_hour timestamptz,
    gap bigint,
    in_reason text,
    in_asked_by text,
    in_code_version text,
    clock timestamptz
)
returns table (hindrance text, events_before bigint, events_after bigint)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    this_day constant date := (in_hour at time zone 'UTC')::date;
    numbers record;
    more bigint;
    of_total bigint;
begin
    -- As in seal_hour.
    perform from checkpoints as c
    where c.shard = in_shard and c.stage <> 'filling'
    order by c.projection, c.version
    for update;
    -- One statement, because appends go on: they change both sides alike.
    select
        a.events as appended_events, a.position_sum as appended_sum, a.digest_high as appended_high,
        a.digest_low as appended_low,
        f.events, f.position_sum, f.digest_high, f.digest_low
    into numbers
    from appended(in_shard, in_hour) as a
    cross join found_in_log(in_shard, in_hour) as f;
    hindrance := case
        when exists (select from checkpoints as c where c.shard = in_shard and c.stage = 'filling')
            then 'a rebuild is under way: accept it when that has ended'
        when exists (select from opened_days as o where o.day = this_day)
            then 'its day takes history now: accept it when the import has ended'
        when exists (select from retired_days as d where d.shard = in_shard and d.day = this_day)
            then 'its rows have left the log, and its seal says what its numbers are'
        when (numbers.appended_events, numbers.appended_sum, numbers.appended_high, numbers.appended_low)
            = (numbers.events, numbers.position_sum, numbers.digest_high, numbers.digest_low)
            then 'it is not damaged: its events are those that were appended'
    end;
    events_before := numbers.appended_events;
    events_after := numbers.events;
    if hindrance is not null then
        return next;
        return;
    end if;

    insert into hour_ledger as l (shard, hour, events, position_sum, digest_high, digest_low)
    values (
        in_shard, in_hour, numbers.events - numbers.appended_events, numbers.position_sum - numbers.appended_sum,
        numbers.digest_high - numbers.appended_high, numbers.digest_low - numbers.appended_low
    )
    on conflict (shard, hour) do update set
        events = l.events + excluded.events,
        position_sum = l.position_sum + excluded.position_sum,
        digest_high = l.digest_high + excluded.digest_high,
        digest_low = l.digest_low + excluded.digest_low;
    more := numbers.events - numbers.appended_events;
    of_total := case when gap is null or abs(gap - more) < abs(gap) then more else 0 end;
    insert into shard_totals as t (shard, compacted)
    values (in_shard, of_total)
    on conflict (shard) do update set compacted = t.compacted + excluded.compacted;
    perform write_amendment(
        in_shard, this_day, 'accepted', in_reason, in_asked_by,
        json_build_array(json_build_object(
            'hour', to_char(in_hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
            'before', sealed_numbers(
                numbers.appended_events, numbers.appended_sum, numbers.appended_high, numbers.appended_low
            ),
            'after', sealed_numbers(numbers.events, numbers.position_sum, numbers.digest_high, numbers.digest_low),
            'total', of_total
        )),
        in_code_version, clock
    );
    perform rebuild_hourly(in_shard, c.version, in_hour)
    from checkpoints as c
    where c.shard = in_shard and c.projection = 'hourly' and c.stage <> 'filling';
    perform write_seal(in_shard, p.live_version, in_hour, in_code_version, clock)
    from projections as p
    where p.projection = 'hourly' and exists (
        select from hour_seals as s where s.shard = in_shard and s.hour = in_hour
    );
    return next;
end
$$;
