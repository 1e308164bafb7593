-- How many events were offered to the log, or inserted by the peer that does only that.
-- Rows: one (stored).
select log_head(0) + (select count(*) from bench_inserts) as stored
