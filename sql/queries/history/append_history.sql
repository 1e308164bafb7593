-- Appends events of one day that is open for history to one shard; see functions/log/append_events.sql.
-- $1 to $12 as in append_events, $13 day. Any number of names may be new, because who imports is the operator.
-- Rows: one per event that was not stored (ordinal from 1, outcome).
select ordinal, outcome
from append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
