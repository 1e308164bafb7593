-- Keeps every day that is detached, or was brought back, until a time at least.
-- $1 time
-- Rows: none.
update leaving_days set until = $1 where until < $1
