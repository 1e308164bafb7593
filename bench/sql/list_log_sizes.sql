-- The size of the log on disk, with all its days.
-- Rows: one per part (part, bytes), the largest first: the events' rows, each index, and receipts with hour_ledger.
select 'rows' as part, sum(pg_table_size(p.relid))::bigint as bytes
from pg_partition_tree('events') as p
union all
select pg_partition_root(i.indexrelid)::text, sum(pg_total_relation_size(i.indexrelid))::bigint
from pg_partition_tree('events') as p
join pg_index as i on i.indrelid = p.relid
group by pg_partition_root(i.indexrelid)
union all
select 'receipts, hour_ledger', pg_total_relation_size('receipts') + pg_total_relation_size('hour_ledger')
order by bytes desc
