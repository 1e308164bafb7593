-- All ids of a kind that rollups name.
-- $1 shards, $2 kind (user or session)
-- Rows: one per id (id).
select distinct m.member as id
from hourly_members as m
where m.shard = any ($1::integer[]) and m.kind = (members_of($2))[1]
