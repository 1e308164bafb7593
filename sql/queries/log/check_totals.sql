-- How many events a shard ever stored, how many are live in the log, and how many were retired.
-- $1 shard
-- Rows: one (stored, live, retired).
select stored, live, retired
from check_totals($1)
