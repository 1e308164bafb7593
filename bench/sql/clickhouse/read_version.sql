-- ClickHouse's version.
-- Rows: one (version).
select version()
