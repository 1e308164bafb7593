-- Drops the rows of a detached day for good.
-- $1 day, $2 moment, $3 files that were just proven when the archive keeps the day, else null
-- Rows: one (hindrance: null when they were dropped; gone when another pass was faster, or it is too early).
select drop_detached($1, $2, $3) as hindrance
