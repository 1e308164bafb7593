-- How many events of the log have a tombstone.
-- Rows: one (events).
select count(*) as events
from erased_days as d
join events as e on e.timestamp >= d.day::timestamp at time zone 'UTC'
    and e.timestamp < (d.day + 1)::timestamp at time zone 'UTC'
join erased_ids as t on t.shard = e.shard and t.day = d.day and t.id = tombstone(d.salt, e.timestamp, e.event_id)
