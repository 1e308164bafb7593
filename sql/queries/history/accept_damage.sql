-- Accepts the damage of an hour; see functions/history/accept_damage.sql.
-- $1 shard, $2 hour, $3 gap, or null, $4 reason, $5 asked_by, $6 code version, $7 clock, or null
-- Rows: one (hindrance, events_before, events_after).
select hindrance, events_before, events_after
from accept_damage($1, $2, $3, $4, $5, $6, $7)
