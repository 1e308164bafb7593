-- The database's clock, cut to the millisecond.
-- Rows: one (now).
select date_trunc('milliseconds', clock_timestamp()) as now
