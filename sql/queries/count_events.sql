-- How many events a shard holds at or after a moment, exactly.
-- $1 shard, $2 since
-- Rows: one (total).
select count_events($1, $2) as total
