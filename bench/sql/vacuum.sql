-- Does what autovacuum would otherwise begin in the middle of a measurement.
-- Rows: none.
vacuum (analyze)
