-- Moves a shard's horizon forward to what the retention says now.
-- $1 shard, $2 retention in days, $3 clock or null
-- Rows: one (horizon).
select advance_horizon($1, $2, $3) as horizon
