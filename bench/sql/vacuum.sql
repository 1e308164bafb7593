-- Vacuums and analyzes now, so that autovacuum does not start during a measurement.
-- Rows: none.
vacuum (analyze)
