-- What the last verification of an hour found wrong, in the live version.
-- $1 shard, $2 projection, $3 hour
-- Rows: one (differences) when the proof failed, null when an older release recorded it; else none.
select p.differences
from projections as v
join hour_proofs as p on p.projection = v.projection and p.version = v.live_version
where v.projection = $2 and p.shard = $1 and p.hour = $3 and p.state = any (failed_states())
