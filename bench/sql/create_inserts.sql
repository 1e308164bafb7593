-- Creates the table of the peer with plain INSERTs, with the columns and indexes of a day of the log.
-- Rows: none.
create table bench_inserts (like events including all)
