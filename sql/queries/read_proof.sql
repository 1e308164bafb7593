-- The last proof of an hour in one shard, beside what was appended to it until now.
-- $1 shard, $2 projection, $3 hour
-- Rows: one (events, digest_high, digest_low, state, verified_at, current: nothing was appended since the proof, sealed_at,
-- document: the rollup by the seal; the last two null unless the events are gone).
select
    coalesce(s.events, a.events) as events,
    coalesce(s.digest_high, a.digest_high) as digest_high,
    coalesce(s.digest_low, a.digest_low) as digest_low,
    coalesce(p.state, case when s.hour is not null then 'sealed' end) as state,
    p.verified_at,
    coalesce((p.events, p.digest_high, p.digest_low) = (a.events, a.digest_high, a.digest_low), false)
        or s.hour is not null as current,
    s.sealed_at,
    s.document::text as document
from appended($1, $3) as a
left join projections as v on v.projection = $2
left join hour_proofs as p
    on p.shard = $1 and p.projection = $2 and p.version = v.live_version and p.hour = $3
left join retired_days as d on d.shard = $1 and d.day = ($3::timestamptz at time zone 'UTC')::date
left join hour_seals as s on s.shard = $1 and s.hour = $3 and d.day is not null
