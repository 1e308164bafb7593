-- The member rows of rollups that name ids.
-- $1 shards, $2 kinds (user or session), $3 ids
-- Rows: one per id that has any (kind, id, quarters: how many quarters of an hour, since and until: starts of the first and
-- the last).
select t.kind, t.id, count(*) as quarters, min(m.bucket) as since, max(m.bucket) as until
from unnest($2::text[], $3::text[]) as t (kind, id)
join hourly_members as m
    on m.shard = any ($1::integer[]) and m.member = t.id and m.kind = (members_of(t.kind))[1]
join projections as p on p.projection = 'hourly' and p.live_version = m.version
group by t.kind, t.id
