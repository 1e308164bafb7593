-- Moves a shard's horizon forward to where the retention puts it.
-- $1 shard, $2 retention in days, $3 moment, $4 whether it may move by more than a day
-- Rows: one (horizon).
select advance_horizon($1, $2, $3, $4) as horizon
