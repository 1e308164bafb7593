-- Hours outside of a range whose last verification failed, in live versions; an hour has its worst shard's state.
-- $1 projection, $2 from, $3 to (exclusive), $4 limit
-- Rows: one per hour (hour, state, hours), newest first. `hours` counts those beyond the limit, too.
select h.hour, (failed_states())[min(array_position(failed_states(), h.state))] as state,
  count(*) over () as hours
from projections as p
join hour_proofs as h on h.projection = p.projection and h.version = p.live_version
where p.projection = $1 and h.state = any (failed_states()) and (h.hour < $2 or h.hour >= $3)
group by h.hour
order by h.hour desc
limit $4
