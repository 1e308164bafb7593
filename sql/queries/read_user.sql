-- What is kept of a user, and the sessions of the user in a range, the most recent first.
-- $1 user_id, $2 since, $3 until, $4 the most sessions that are named
-- Rows: one per session (session_id, session_first, session_last, session_events: of the user's events in the range), each
-- with what is known of the user (first_seen, last_seen, events_in_range, sessions_in_range), none when no event is kept.
with sessions as (
    select
        e.session_id,
        min(e.timestamp) as first_seen,
        max(e.timestamp) as last_seen,
        min(e.timestamp) filter (where e.timestamp >= $2 and e.timestamp < $3) as session_first,
        max(e.timestamp) filter (where e.timestamp >= $2 and e.timestamp < $3) as session_last,
        count(*) filter (where e.timestamp >= $2 and e.timestamp < $3) as session_events
    from events as e
    where e.user_id = $1
    group by e.session_id
)
select
    s.session_id, s.session_first, s.session_last, s.session_events,
    min(s.first_seen) over () as first_seen,
    max(s.last_seen) over () as last_seen,
    sum(s.session_events) over ()::bigint as events_in_range,
    count(s.session_last) over () as sessions_in_range
from sessions as s
order by s.session_last desc nulls last, s.session_id
limit $4
