-- Where files of the archive name a person. The view `archived` has their rows.
-- $users, $sessions: lists of ids
-- Rows: one per shard, hour, session and user (shard, whole hours since 1970, session_id, user_id, events, microseconds since
-- 1970 of the first and the last timestamp).
select
    shard,
    epoch_us(timestamp) // 3600000000 as hour,
    session_id,
    user_id,
    count(*) as events,
    epoch_us(min(timestamp)) as since,
    epoch_us(max(timestamp)) as until
from archived
where user_id in (select unnest($users::varchar[])) or session_id in (select unnest($sessions::varchar[]))
group by all
