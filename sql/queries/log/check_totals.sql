-- What a shard ever stored, and what of it is live and retired.
-- $1 shard
-- Rows: one (stored, live, retired).
select stored, live, retired
from check_totals($1)
