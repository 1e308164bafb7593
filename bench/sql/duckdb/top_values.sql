-- The most frequent values of a property.
-- $file: of all events
-- Rows: 10 (value, events), the most frequent first.
select "properties.path" as value, count(*) as events
from read_parquet($file)
where "properties.path" is not null
group by value
order by events desc
limit 10
