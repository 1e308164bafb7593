-- Commands that take dead rows, and what the planner's statistics remember of them, off the tables that an erasure changed.
-- PostgreSQL leaves the statistics of a table as they are when all its rows are gone, so they are cleared before, where it has
-- a function for that (from 18 on).
-- $1 days whose tables it changed
-- Rows: one per command (command), in the order in which to run them.
with tables as (
    select c.oid, c.relname, false as inherited
    from unnest($1::date[]) as d (day)
    join pg_class as c on c.oid = to_regclass(day_partition(d.day))
    union all
    select c.oid, c.relname, c.relkind = 'p'
    from pg_class as c
    where c.oid = any (
        array['events', 'hourly_members', 'hour_proofs', 'hourly_documents', 'segments', 'goals', 'saved_views']::regclass[]
    )
)
select c.command
from (
    select
        1 as place,
        format(
            'select pg_clear_attribute_stats(%L, %L, %L, %L)', current_schema(), t.relname, a.attname, t.inherited
        ) as command
    from tables as t
    join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    where a.atttypid in ('text'::regtype, 'jsonb'::regtype, 'json'::regtype)
        and exists (select from pg_proc as p where p.proname = 'pg_clear_attribute_stats')
    union all
    select 2, format('vacuum (analyze) %I', t.relname) from tables as t where not t.inherited
    union all
    select 3, format('analyze %I', t.relname) from tables as t where t.inherited
) as c
order by c.place
