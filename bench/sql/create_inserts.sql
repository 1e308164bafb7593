-- The table of the peer that inserts without any of our functions: columns and indexes of a day of the log.
-- Rows: none.
create table bench_inserts (like events including all)
