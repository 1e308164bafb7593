-- What was appended to each hour of a shard in a range; see functions/log/appended_numbers.sql.
-- $1 shard, $2 from, $3 to (exclusive)
-- Rows: one per hour (hour, events, position_sum, digest_high, digest_low).
select hour, events, position_sum, digest_high, digest_low
from appended_numbers($1, $2, $3)
