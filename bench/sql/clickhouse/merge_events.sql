-- Merges the parts of the table into as few as it takes.
-- Rows: none.
optimize table bench.events final
