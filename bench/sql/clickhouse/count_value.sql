-- The events with one value of a property.
-- Rows: one (events).
select count() as events
from bench.events
where properties.path.:String = '/articles/77'
settings max_threads = 2
