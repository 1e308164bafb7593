-- The count and the digest of the events of an hour that a copy of the log's head can know, read from the log. A log
-- that lost its end gives the positions behind it again, so the time of the copy tells later events apart.
-- $1 shard, $2 hour, $3 position of the copy, $4 its time
-- Rows: one (events, digest_high, digest_low).
select events, digest_high, digest_low
from found_in_log($1, $2, $3, $4)
