-- How many events a shard ever stored, how many are live in the log, how many were retired, and how many were erased.
-- $1 shard
-- Rows: one (stored, live, retired, erased).
select stored, live, retired, erased
from check_totals($1)
