-- All ids of a kind that files of the archive name. The view `archived` has their rows.
-- $kind: user or session
-- Rows: one per id (id).
select distinct case when $kind = 'user' then user_id else session_id end as id
from archived
where id is not null
