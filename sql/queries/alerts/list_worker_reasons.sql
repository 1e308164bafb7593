-- What the other workers find wrong with themselves. A time far ahead is of a clock that was set back since.
-- $1 the worker that asks, $2 now, $3 after how long it is forgotten
-- Rows: one per worker (events: what is wrong with taking events, disk: with the disk).
select events, disk
from worker_reasons
where worker <> $1 and told_at between $2::timestamptz - $3::interval and $2 + $3
order by worker
