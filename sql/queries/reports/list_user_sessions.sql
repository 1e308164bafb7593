-- What the rows of a site's shards tell of a user, and the user's sessions, the most recent in a range first.
-- $1 shards, $2 user_id, $3 since, $4 until, $5 maximum sessions to name
-- Rows: one per session (session_id; session_first, session_last, session_events: the user's events of the range). Each
-- row repeats the user's totals: first_seen, last_seen; days: the UTC days with events, in days since 1970;
-- events_in_range, sessions_in_range. None without events.
with sessions as (
    select
        e.session_id,
        min(e.timestamp) as first_seen,
        max(e.timestamp) as last_seen,
        min(e.timestamp) filter (where e.timestamp >= $3 and e.timestamp < $4) as session_first,
        max(e.timestamp) filter (where e.timestamp >= $3 and e.timestamp < $4) as session_last,
        count(*) filter (where e.timestamp >= $3 and e.timestamp < $4) as session_events,
        array_agg(distinct (e.timestamp at time zone 'UTC')::date - date '1970-01-01') as days
    from events as e
    where e.user_id = $2 and e.shard + 0 = any ($1::integer[])
    group by e.session_id
)
select
    s.session_id, s.session_first, s.session_last, s.session_events,
    min(s.first_seen) over () as first_seen,
    max(s.last_seen) over () as last_seen,
    array(select distinct d.day from sessions as a cross join lateral unnest(a.days) as d (day)) as days,
    sum(s.session_events) over ()::bigint as events_in_range,
    count(s.session_last) over () as sessions_in_range
from sessions as s
order by s.session_last desc nulls last, s.session_id
limit $5
