-- Records what a worker finds wrong with itself, in place of what it said before. It also deletes what others said that is
-- forgotten, or that is of a clock that was set back since.
-- $1 worker, $2 now, $3 what is wrong with taking events, $4 with the disk, $5 after how long it is forgotten
-- Rows: one (worker).
with forgotten as (
    delete from worker_reasons
    where worker <> $1 and told_at not between $2::timestamptz - $5::interval and $2 + $5
)

insert into worker_reasons (worker, told_at, events, disk)
values ($1, $2, $3, $4)
on conflict (worker) do update set told_at = excluded.told_at, events = excluded.events, disk = excluded.disk
returning worker
