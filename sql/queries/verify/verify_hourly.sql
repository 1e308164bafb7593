-- Verifies one hour of a shard; see functions/verify/verify_hourly.sql.
-- $1 shard, $2 version, $3 hour
-- Rows: what was appended, folded and found, then one per difference (finding, field, bucket, key, stored, recounted).
select finding, field, bucket, key, stored, recounted
from verify_hourly($1, $2, $3)
