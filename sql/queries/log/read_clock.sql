-- The database's clock, truncated to the millisecond.
-- Rows: one (now).
select date_trunc('milliseconds', clock_timestamp()) as now
