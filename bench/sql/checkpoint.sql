-- Writes all changed pages now, so that it does not happen during a measurement. Afterwards the first change of each
-- page logs the page in full.
-- Rows: none.
checkpoint
