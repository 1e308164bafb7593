-- The number of the rows to archive.
-- Rows: one (events).
select count(*) as events from archived
