-- The number of events that a shard ever stored, and how many of them are live and retired.
-- $1 shard
-- Rows: one (stored, live, retired).
select stored, live, retired
from check_totals($1)
