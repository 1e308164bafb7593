-- A session's users, times and number of events, from its kept events.
-- $1 shards, $2 session_id, $3 since, $4 until, $5 maximum users to name
-- Rows: one (user_ids, first_seen, last_seen, events_in_range), none when no event of the session is kept.
select
    (array_agg(distinct e.user_id) filter (where e.user_id is not null))[1:$5] as user_ids,
    min(e.timestamp) as first_seen,
    max(e.timestamp) as last_seen,
    count(*) filter (where e.timestamp >= $3 and e.timestamp < $4) as events_in_range
from events as e
where e.session_id = $2 and e.shard + 0 = any ($1::integer[])
having count(*) > 0
