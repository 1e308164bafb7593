-- Accepts the damage of an hour; see functions/history/accept_damage.sql.
-- $1 shard, $2 hour, $3 reason, $4 asked_by, $5 code version, $6 clock, or null
-- Rows: one (hindrance, events_before, events_after).
select hindrance, events_before, events_after
from accept_damage($1, $2, $3, $4, $5, $6)
