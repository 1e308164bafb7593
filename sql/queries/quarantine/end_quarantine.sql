-- Records that a quarantine is lifted.
-- $1 number
-- Rows: none.
update quarantines set lifted_at = clock_timestamp() where number = $1 and lifted_at is null
