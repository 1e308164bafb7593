-- Makes the partition of one UTC day; false when it exists or the day was retired. CREATE and ATTACH, because
-- PARTITION OF would lock out readers.
create or replace function make_day(day date)
returns boolean
language plpgsql volatile
set lock_timeout = '2s'
as $$
declare
    partition constant text := day_partition(day);
begin
    -- When two processes make one day, the second waits here, and then finds the partition. It is the lock that ATTACH
    -- takes below; appends and readers do not wait for it, and only the owner can take it.
    lock table events in share update exclusive mode;
    -- Retention may have dropped the day since the caller found it missing; it must not come back.
    if to_regclass(partition) is not null
        or exists (select from retired_days as d where d.day = make_day.day)
    then
        return false;
    end if;
    execute format('create table %I (like events including all)', partition);
    execute format(
        'create trigger events_are_not_truncated before truncate on %I for each statement execute function refuse_change()',
        partition
    );
    execute format(
        'alter table events attach partition %I for values from (%L) to (%L)',
        partition, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC'
    );
    return true;
exception
    when duplicate_table then
        return false;
end
$$;
