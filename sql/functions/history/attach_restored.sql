-- Makes the events that came back from the archive the log's again. The caller has proven them.
create or replace function attach_restored(in_day date)
returns void
language plpgsql volatile
-- As in detach_day: others wait behind this.
set lock_timeout = '200ms'
as $$
declare
    partition constant text := day_partition(in_day);
begin
    execute format('alter table %I rename to %I', restored_table(in_day), partition);
    execute format(
        'create trigger events_are_not_truncated before truncate on %I for each statement execute function refuse_change()',
        partition
    );
    -- Whoever counts the log while a day comes back would count the day twice, or not at all.
    lock table events in access exclusive mode;
    execute format(
        'alter table events attach partition %I for values from (%L) to (%L)',
        partition, in_day::timestamp at time zone 'UTC', (in_day + 1)::timestamp at time zone 'UTC'
    );
    execute format('alter table %I drop constraint "the events are of the day"', partition);
end
$$;
