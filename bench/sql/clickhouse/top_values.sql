-- The most frequent values of a property.
-- Rows: 10 (value, events), the most frequent first.
select properties.path.:String as value, count() as events
from bench.events
where value is not null
group by value
order by events desc
limit 10
settings max_threads = 2
