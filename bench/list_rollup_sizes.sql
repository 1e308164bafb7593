-- What the rollups take on disk, indexes included and sessions left out.
-- Rows: one per table (part, bytes, rows).
select 'hourly_counts' as part, pg_total_relation_size('hourly_counts') as bytes, count(*) as rows
from hourly_counts
union all
select 'hourly_edges', pg_total_relation_size('hourly_edges'), count(*)
from hourly_edges
union all
select 'hourly_documents', pg_total_relation_size('hourly_documents'), count(*)
from hourly_documents
