-- The last proof of an hour in one shard; see functions/verify/proofs_of_hours.sql.
-- $1 shard, $2 projection, $3 hour
-- Rows: one (events, digest_high, digest_low, state, current, verified_at, sealed_at, document), zeros for an unknown
-- hour.
select
    coalesce(p.events, 0) as events,
    coalesce(p.digest_high, 0) as digest_high,
    coalesce(p.digest_low, 0) as digest_low,
    p.state,
    coalesce(p.current, false) as current,
    p.verified_at,
    p.sealed_at,
    p.document
from (select) as one
left join proofs_of_hours($1, $2, $3, $3::timestamptz + interval '1 hour') as p on true
