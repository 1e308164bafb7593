-- Puts events of a day back as they were; see functions/history/restore_events.sql.
-- $1 day, $2 to $13 columns: shards, positions, event ids, session ids, user ids, event types, tool names, actions, properties
-- as JSON texts, demo modes, timestamps, received_at
-- Rows: one.
select restore_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
