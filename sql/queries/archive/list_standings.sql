-- Where each of some shards stands, as the last rows of a trend; see functions/hourly/hourly_standing.sql.
-- $1 shards
-- Rows: two per shard, in the order of shards (measure: position or lag_events, amount).
select w.measure, w.amount
from unnest($1::integer[]) as h (shard)
cross join lateral hourly_standing(h.shard) as s
cross join lateral (values (1, 'position', s.head), (2, 'lag_events', s.lag_events)) as w (place, measure, amount)
order by h.shard, w.place
