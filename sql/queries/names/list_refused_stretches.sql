-- Between which positions new names were refused in shards, among events that may have timestamps from a moment on. Within a
-- stretch every name that counts under itself is known, so several stretches are as good as one around them.
-- $1 shards, $2 kinds, $3 the moment
-- Rows: one per shard and kind with refused names (shard, kind, position: of the first event; upto: the last position, null
-- while more may come).
select
    r.shard, r.kind, min(r.position) as position,
    case when bool_and(r.upto is not null) then max(r.upto) end as upto
from refused_names as r
where r.shard = any ($1::integer[]) and r.kind = any ($2::text[]) and r.hour >= $3::timestamptz - interval '25 hours'
group by r.shard, r.kind
