-- Days whose events only the archive has, and how long events are kept as rows (R10).

create table archived_days (
    day date not null primary key,
    stage text collate "C" not null
        constraint "an archived day is kept or leaving" check (stage in ('kept', 'leaving')),
    until timestamptz not null default '-infinity'
);
comment on table archived_days is 'Days whose rows have left the log while their events are still kept: files of the archive are their raw events.';
comment on column archived_days.day is 'The UTC day. It has a record in retired_days, too.';
comment on column archived_days.stage is 'kept: answers read the events from files; leaving: no answer shows them, and the files go after a grace.';
comment on column archived_days.until is 'A leaving day''s files are not deleted before this time; a kept day that came back does not leave again before it.';

alter table retention_in_force
    add column log_days integer
        constraint "rows are kept for a day or more" check (log_days >= 1)
        constraint "rows are kept no longer than events" check (log_days <= event_days);
comment on column retention_in_force.log_days is 'Days that raw events are kept as rows, which is also how late an event may come. Null until a process records its settings.';
comment on column retention_in_force.event_days is 'Days that raw events are kept anywhere: as rows or in the archive. Null until a process records its settings.';
comment on column retention_in_force.horizon_days is 'log_days when the horizon last moved. The horizon may be ahead of a retention that became longer since.';
-- Until now, rows were all that there was.
update retention_in_force set log_days = event_days;

comment on table retired_days is 'Days whose rows left the log: detached, and later dropped.';
