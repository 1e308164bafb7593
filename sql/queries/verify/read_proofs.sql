-- The last proof of each hour in a range in one shard; see functions/verify/proofs_of_hours.sql.
-- $1 shard, $2 projection, $3 from, $4 to (exclusive)
-- Rows: one per hour (hour, events, digest_high, digest_low, state, current, verified_at, sealed_at).
select hour, events, digest_high, digest_low, state, current, verified_at, sealed_at
from proofs_of_hours($1, $2, $3, $4)
