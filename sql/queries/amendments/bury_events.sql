-- Lays down tombstones for a person's events of a day; see functions/amendments/bury_events.sql.
-- $1 erasure, $2 shard, $3 day
-- Rows: one (upto).
select bury_events($1, $2, $3) as upto
