-- Where rows name a person; see functions/amendments/find_person.sql.
-- $1 shards, $2 users, $3 sessions
-- Rows: one per shard, hour, session and user (shard, hour, is_detached, session_id, user_id, events, since, until).
select shard, hour, is_detached, session_id, user_id, events, since, until
from find_person($1, $2, $3)
