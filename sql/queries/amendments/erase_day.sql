-- Erases what a shard's day has of a person; see functions/amendments/erase_day.sql.
-- $1 erasure, $2 shard, $3 version, $4 day, $5 position up to which there are tombstones, $6 code version, $7 clock or null
-- Rows: one (hindrance, events, hours).
select hindrance, events, hours
from erase_day($1, $2, $3, $4, $5, $6, $7)
