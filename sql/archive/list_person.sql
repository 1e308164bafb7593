-- The events of a person that files of the archive hold. The view `archived` has their rows.
-- $users, $sessions: lists of ids
-- Rows: one per event, with the columns of queries of events; moments are microseconds since 1970.
select
    event_id,
    event_type,
    session_id,
    user_id,
    tool_name,
    action,
    properties,
    demo_mode,
    epoch_us(timestamp) as timestamp,
    epoch_us(received_at) as received_at
from archived
where user_id in (select unnest($users::varchar[])) or session_id in (select unnest($sessions::varchar[]))
order by timestamp, event_id
