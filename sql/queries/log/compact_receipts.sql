-- Adds the receipts of a shard that every checkpoint has passed to hour_ledger, and deletes them.
-- $1 shard
-- Rows: one (removed: number of receipts).
select compact_receipts($1) as removed
