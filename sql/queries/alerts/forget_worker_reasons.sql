-- Records that a worker finds nothing wrong with itself any more.
-- $1 worker
-- Rows: one (worker), none when nothing is recorded.
delete from worker_reasons
where worker = $1
returning worker
