-- What retention goes by: the last reading of the clocks, the retention in force, and the days that are leaving (R13).

create table log_clock (
    only_row boolean not null default true primary key constraint "a log has one clock" check (only_row),
    known_at timestamptz,
    boot text collate "C",
    boot_seconds double precision,
    read_at timestamptz,
    service_at timestamptz,
    received_at timestamptz
);
comment on table log_clock is 'The last reading of the clocks. It stands beside the heads and not in them, because every append locks a head, and updates would slow that down.';
comment on column log_clock.only_row is 'Always true: the table has one row.';
comment on column log_clock.known_at is 'The time by which the horizon may move: a reading of the clocks, or less when they were ahead of the time that passed. Null before the first reading.';
comment on column log_clock.boot is 'The start of the machine that read the clocks, to tell whether its seconds can be compared with a later reading.';
comment on column log_clock.boot_seconds is 'Seconds since that start. They go on while the machine sleeps, and nobody can set them.';
comment on column log_clock.read_at is 'What the database''s clock said at the last reading.';
comment on column log_clock.service_at is 'What the clock of the reading process said.';
comment on column log_clock.received_at is 'The newest received_at of the log at the last reading.';
insert into log_clock default values;

create table retention_in_force (
    only_row boolean not null default true primary key constraint "a log has one retention" check (only_row),
    event_days integer constraint "events are kept for a day or more" check (event_days >= 1),
    rollup_days integer constraint "rollups are kept as long as events" check (rollup_days >= event_days),
    horizon_days integer
);
comment on table retention_in_force is 'How long events and rollups are kept, whatever the settings of a process say. A shorter retention is recorded only when it is confirmed.';
comment on column retention_in_force.only_row is 'Always true: the table has one row.';
comment on column retention_in_force.event_days is 'Days that raw events are kept. Null until a process records its settings.';
comment on column retention_in_force.rollup_days is 'Days that rollups are kept.';
comment on column retention_in_force.horizon_days is 'event_days when the horizon last moved. The horizon may be ahead of a retention that became longer since.';
insert into retention_in_force default values;

create table leaving_days (
    day date not null primary key,
    stage text collate "C" not null
        constraint "a leaving day is detached or returned" check (stage in ('detached', 'returned')),
    until timestamptz not null
);
comment on table leaving_days is 'Days on their way out of the log, until their events are dropped for good.';
comment on column leaving_days.day is 'The UTC day.';
comment on column leaving_days.stage is 'detached: its events are in a table of their own, and no answer shows them; returned: they are in the log again.';
comment on column leaving_days.until is 'A detached day is not dropped before this time; a returned day is not detached again before it.';

-- A day that is brought back is retired no longer. While its events are detached, its record may go; nothing else may.
create function refuse_retired_change() returns trigger
language plpgsql as $$
begin
    if tg_op = 'DELETE' and exists (
        select from leaving_days as l where l.day = old.day and l.stage = 'detached'
    ) then
        return old;
    end if;
    raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation',
              hint = 'A retired day comes back only by undrop, while its events are still detached.';
end
$$;
comment on function refuse_retired_change() is 'Trigger that keeps the records of retired days, unless the day is brought back (R13).';
drop trigger retired_days_are_append_only on retired_days;
create trigger retired_days_are_append_only
before update or delete on retired_days
for each row execute function refuse_retired_change();
comment on table retired_days is 'Days whose events left the log: detached, and later dropped.';
comment on column retired_days.events is 'Events that left, by the seals of the day''s hours.';
comment on column retired_days.retired_at is 'When they left the log, by the database''s clock.';

comment on table import_shifts is 'By how much the timestamps of an imported file were moved. A later import of the file, or of one that shares rows with it, moves them by the same.';
comment on column import_shifts.file_digest is 'SHA-256 of the file, or of one of its rows.';

-- An older release has left it: it drops a day in one step.
drop function if exists drop_day(date, timestamptz);
