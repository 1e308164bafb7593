-- Brings the events of a detached day back into the log (R13). The day stays closed for appends.
-- until_then: the day is not detached again before this time. Rows: one, false when the day is not detached.
create or replace function attach_day(in_day date, until_then timestamptz)
returns boolean
language plpgsql volatile
-- As in detach_day: others wait behind this.
set lock_timeout = '200ms'
as $$
declare
    partition constant text := day_partition(in_day);
    bounds constant text[] := array[
        (in_day::timestamp at time zone 'UTC')::text, ((in_day + 1)::timestamp at time zone 'UTC')::text
    ];
begin
    perform from checkpoints as c where c.stage <> 'filling' order by c.shard, c.projection, c.version for update;
    perform from leaving_days as l where l.day = in_day and l.stage = 'detached' for update;
    if not found then
        return false;
    end if;
    -- With this constraint the events are read now, and not while the log is locked.
    execute format(
        'alter table %I add constraint "the events are of the day" check (timestamp >= %L and timestamp < %L)',
        partition, bounds[1], bounds[2]
    );
    execute format('drop trigger detached_events_are_append_only on %I', partition);
    -- Whoever counts the log while a day comes back would count the day twice, or not at all.
    lock table events in access exclusive mode;
    execute format(
        'alter table events attach partition %I for values from (%L) to (%L)', partition, bounds[1], bounds[2]
    );
    execute format('alter table %I drop constraint "the events are of the day"', partition);
    delete from retired_days as r where r.day = in_day;
    delete from archived_days as a where a.day = in_day;
    update leaving_days set stage = 'returned', until = until_then where day = in_day;
    return true;
end
$$;
