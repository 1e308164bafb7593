-- Adds ids to what an erasure is about.
-- $1 erasure, $2 kinds, $3 ids
-- Rows: none.
insert into erasing (erasure, kind, id)
select $1::bigint, t.kind, t.id
from unnest($2::text[], $3::text[]) as t (kind, id)
on conflict do nothing
