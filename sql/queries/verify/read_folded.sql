-- The count and the digest of the events of an hour that a version has folded; see functions/verify/folded_in.sql.
-- $1 shard, $2 version, $3 hour
-- Rows: one (events, digest_high, digest_low).
select events, digest_high, digest_low
from folded_in($1, $2, $3)
