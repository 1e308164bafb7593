-- The count and the digest of the events of an hour up to a position, read from the log.
-- $1 shard, $2 hour, $3 position
-- Rows: one (events, digest_high, digest_low).
select events, digest_high, digest_low
from found_in_log($1, $2, $3)
