-- How many locks the server has room for.
-- Rows: one (sessions: how many there may be; room: the locks of all of them together).
select s.sessions, s.sessions * current_setting('max_locks_per_transaction')::bigint as room
from (
    select current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint as sessions
) as s
