-- Deletes a shard's rollups and ledger of the hours before a moment.
-- $1 shard, $2 moment
-- Rows: one (retired: false when a rebuild under way still needs them).
select retire_rollups($1, $2) as retired
