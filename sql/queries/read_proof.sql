-- The last proof of an hour in one shard, beside what was appended to it until now.
-- $1 shard, $2 projection, $3 hour
-- Rows: one (events, digest_high, digest_low, state, verified_at, current: nothing was appended since the proof).
select
    a.events,
    a.digest_high,
    a.digest_low,
    p.state,
    p.verified_at,
    coalesce((p.events, p.digest_high, p.digest_low) = (a.events, a.digest_high, a.digest_low), false) as current
from appended($1, $3) as a
left join hour_proofs as p on p.shard = $1 and p.projection = $2 and p.hour = $3
