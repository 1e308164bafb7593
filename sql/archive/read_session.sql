-- What is known of a session; see SessionSeen in service/archive/list_questions.py, and queries/reports/read_session.sql.
-- events: the session's events (timestamp, user_id)
-- Parameters: $since, $until: a range in microseconds since 1970; $most: how many users to name.
-- Rows: one (user_ids, first_seen, last_seen, events_in_range; times in microseconds since 1970), none without events.
select
    (list(distinct user_id order by user_id) filter (where user_id is not null))[1:$most] as user_ids,
    epoch_us(min(timestamp)) as first_seen,
    epoch_us(max(timestamp)) as last_seen,
    count(*) filter (where epoch_us(timestamp) >= $since and epoch_us(timestamp) < $until) as events_in_range
from events
having count(*) > 0;
