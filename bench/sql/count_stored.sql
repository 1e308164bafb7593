-- How many events were offered to the log, plus how many the peer with plain INSERTs stored.
-- Rows: one (stored).
select log_head(0) + (select count(*) from bench_inserts) as stored
