-- The last proof of an hour in one shard, beside what was appended to it until now.
-- $1 shard, $2 projection, $3 hour
-- Rows: one (events, digest_high, digest_low, state: null when it was never verified, current: nothing was appended since,
-- verified_at, sealed_at: null unless the events are gone, document: the sealed rollup, null unless the rollup is gone, too).
select
    coalesce(s.events, a.events) as events,
    coalesce(s.digest_high, a.digest_high) as digest_high,
    coalesce(s.digest_low, a.digest_low) as digest_low,
    -- What was verified before its events were dropped is sealed since.
    case
        when d.day is null or p.state in ('drifted', 'damaged', 'broken') then p.state
        when p.state is not null or s.hour is not null then 'sealed'
    end as state,
    d.day is not null
        or p.state is not distinct from 'broken'
        or coalesce((p.events, p.digest_high, p.digest_low) = (a.events, a.digest_high, a.digest_low), false) as current,
    coalesce(p.verified_at, s.sealed_at) as verified_at,
    s.sealed_at,
    case when s.hour < t.rollups_since then s.document::text end as document
from appended($1, $3) as a
left join projections as v on v.projection = $2
left join hour_proofs as p
    on p.shard = $1 and p.projection = $2 and p.version = v.live_version and p.hour = $3
left join retired_days as d on d.shard = $1 and d.day = ($3::timestamptz at time zone 'UTC')::date
left join hour_seals as s on s.shard = $1 and s.hour = $3 and d.day is not null
left join shard_totals as t on t.shard = $1
