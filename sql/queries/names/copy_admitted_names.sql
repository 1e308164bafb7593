-- The names that count under themselves.
-- $1 shards, $2 kinds
-- Rows: one per name (shard, kind, name, position: from which on).
select a.shard, a.kind, a.name, a.position
from admitted_names as a
where a.shard = any ($1::integer[]) and a.kind = any ($2::text[])
