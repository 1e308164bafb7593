-- How many events of a range the projection counts.
-- $1 shard, $2 version, $3 from, $4 to (exclusive), both whole hours
-- Rows: one (events).
select coalesce(sum(c.events_00 + c.events_15 + c.events_30 + c.events_45), 0)::bigint as events
from hourly_counts as c
where c.shard = $1 and c.version = $2 and c.hour >= $3 and c.hour < $4 and c.dimension = 'event_type'
