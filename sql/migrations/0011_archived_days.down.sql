-- Forgets which days the archive keeps. Nothing reads their files any more, and the release before deletes them: they are the
-- only copy of their events, so copy the archive's folder away first.
-- loses: archived_days
drop table archived_days;
alter table retention_in_force drop column log_days;
comment on column retention_in_force.event_days is 'Days that raw events are kept. Null until a process records its settings.';
comment on column retention_in_force.horizon_days is 'event_days when the horizon last moved. The horizon may be ahead of a retention that became longer since.';
comment on table retired_days is 'Days whose events left the log: detached, and later dropped.';
