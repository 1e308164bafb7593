-- Writes all changed pages now, not in the middle of a measurement. After it, each page is logged in full once.
-- Rows: none.
checkpoint
