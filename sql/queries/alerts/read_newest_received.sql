-- When the newest event of some shards was received, by the database's clock.
-- $1 shards
-- Rows: one (received_at: null without events).
select newest_received($1) as received_at
