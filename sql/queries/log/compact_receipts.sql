-- Sums the receipts of a shard that every projection has passed into hour_ledger.
-- $1 shard
-- Rows: one (removed: number of receipts).
select compact_receipts($1) as removed
