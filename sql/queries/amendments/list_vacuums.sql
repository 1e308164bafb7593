-- Commands that take dead rows, and what the planner's statistics remember of them, off the tables that an erasure changed.
-- $1 days whose tables it changed
-- Rows: one per command (command).
select format('vacuum (analyze) %I', c.relname) as command
from unnest($1::date[]) as d (day)
join pg_class as c on c.oid = to_regclass(day_partition(d.day))
union all
select 'analyze events'
union all
select 'vacuum (analyze) hourly_members, hour_proofs, hourly_documents, segments'
