-- Moves a shard's horizon forward to where the retention puts it now.
-- $1 shard, $2 retention in days, $3 clock or null
-- Rows: one (horizon).
select advance_horizon($1, $2, $3) as horizon
