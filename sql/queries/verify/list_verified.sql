-- The hours of a shard that were verified after a moment.
-- $1 shard, $2 version, $3 moment
-- Rows: one per hour (hour).
select h.hour
from hour_proofs as h
where h.shard = $1 and h.projection = 'hourly' and h.version = $2 and h.verified_at > $3
