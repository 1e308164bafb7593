-- Creates the table of the peer with plain INSERTs, unless an earlier measurement did. It has the columns and indexes of a
-- day of the log.
-- Rows: none.
create table if not exists bench_inserts (like events including all)
