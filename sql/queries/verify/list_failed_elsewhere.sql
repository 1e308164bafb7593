-- Hours of shards outside of a range that are known to be wrong, in live versions; an hour has its worst shard's state. See
-- functions/verify/failed_hours.sql.
-- $1 shards, $2 projection, $3 from, $4 to (exclusive), $5 limit
-- Rows: one per hour (hour, state, hours), newest first. `hours` counts those beyond the limit, too.
select h.hour, (failed_states())[min(array_position(failed_states(), h.state))] as state,
  count(*) over () as hours
from failed_hours($2) as h
where h.shard = any ($1::integer[]) and (h.hour < $3 or h.hour >= $4)
group by h.hour
order by h.hour desc
limit $5
