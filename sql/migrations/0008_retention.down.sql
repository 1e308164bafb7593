-- Drops days in one step again, by one clock and the settings of whichever process runs.
-- loses: leaving_days
do $$
declare
    leaving date;
begin
    for leaving in select l.day from leaving_days as l where l.stage = 'detached' loop
        execute format('drop table %I', 'events_' || to_char(leaving::timestamp, 'YYYYMMDD'));
    end loop;
end
$$;
drop trigger retired_days_are_append_only on retired_days;
create trigger retired_days_are_append_only
before update or delete on retired_days
for each row execute function refuse_change();
drop function refuse_retired_change();
drop table leaving_days;
drop table retention_in_force;
drop table log_clock;
comment on table import_shifts is 'By how much the timestamps of an imported file were moved. A later run of the same file moves them by the same.';
comment on column import_shifts.file_digest is 'SHA-256 of the file.';
comment on table retired_days is 'Days whose events were dropped.';
comment on column retired_days.events is 'Events dropped, by the seals of the day''s hours.';
comment on column retired_days.retired_at is 'When they were dropped, by the database''s clock.';
