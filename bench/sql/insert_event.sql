-- Inserts one event by itself: no group commit, no lock on the log's head, no position, no receipt.
-- $1 event_id, $2 session_id, $3 user_id, $4 event_type, $5 tool_name, $6 action, $7 properties as JSON text,
-- $8 demo_mode, $9 timestamp
-- Rows: none.
insert into bench_inserts (
    position, timestamp, received_at, shard, demo_mode, event_id, session_id,
    user_id, event_type, tool_name, action, properties
)
values (0, $9, clock_timestamp(), 0, $8, $1, $2, $3, $4, $5, $6, $7::text::jsonb)
on conflict do nothing
