-- Appends events to one shard in one transaction; see functions/log/append_events.sql.
-- $1 shard, $2 retention in days, $3 clock or null, $4 event ids, $5 session ids, $6 user ids, $7 event types,
-- $8 tool names, $9 actions, $10 properties as JSON texts, $11 demo modes, $12 timestamps, $13 new names or null
-- Rows: one per event that was not stored (ordinal from 1, outcome).
select ordinal, outcome
from append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, new_names => $13)
