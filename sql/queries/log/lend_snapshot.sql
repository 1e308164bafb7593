-- Lends the transaction's snapshot to other transactions, until this one ends.
-- Rows: one (snapshot: its name).
select pg_export_snapshot() as snapshot
