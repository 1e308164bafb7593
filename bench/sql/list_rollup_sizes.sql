-- The size of the rollups on disk, with indexes but without member rows.
-- Rows: one per table (part, bytes, rows, quarters). quarters: number of quarters of an hour with events; null for tables
-- other than hourly_counts.
select
    'hourly_counts' as part,
    pg_total_relation_size('hourly_counts') as bytes,
    count(*) as rows,
    sum(sign(events_00) + sign(events_15) + sign(events_30) + sign(events_45)) as quarters
from hourly_counts
union all
select 'hourly_edges', pg_total_relation_size('hourly_edges'), count(*), null
from hourly_edges
union all
select 'hourly_documents', pg_total_relation_size('hourly_documents'), count(*), null
from hourly_documents
