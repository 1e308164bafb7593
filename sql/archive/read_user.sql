-- What is known of a user, and the user's sessions; see UserSeen in service/archive/list_questions.py, and
-- queries/reports/list_user_sessions.sql.
-- events: the user's events (timestamp, session_id)
-- Parameters: $since, $until: a range in microseconds since 1970; $most: how many sessions to name.
-- Rows: as list_user_sessions has them, with times in microseconds since 1970.
with sessions as (
    select
        session_id,
        min(epoch_us(timestamp)) as first_seen,
        max(epoch_us(timestamp)) as last_seen,
        min(epoch_us(timestamp)) filter (where epoch_us(timestamp) >= $since and epoch_us(timestamp) < $until)
            as session_first,
        max(epoch_us(timestamp)) filter (where epoch_us(timestamp) >= $since and epoch_us(timestamp) < $until)
            as session_last,
        count(*) filter (where epoch_us(timestamp) >= $since and epoch_us(timestamp) < $until) as session_events
    from events
    group by session_id
),
total as (
    select
        min(epoch_us(timestamp)) as first_seen,
        max(epoch_us(timestamp)) as last_seen,
        list(distinct epoch_us(timestamp) // 86400000000)::integer[] as days
    from events
)
select
    s.session_id, s.session_first, s.session_last, s.session_events, t.first_seen, t.last_seen, t.days,
    sum(s.session_events) over ()::bigint as events_in_range,
    count(s.session_last) over () as sessions_in_range
from sessions as s
cross join total as t
order by s.session_last desc nulls last, s.session_id
limit $most;
