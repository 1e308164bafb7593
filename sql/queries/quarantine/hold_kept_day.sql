-- Waits until no verification or rebuild of a kept day counts its files, and keeps others from it until the transaction
-- ends.
-- $1 day
-- Rows: one (day) when the day is in the archive, else none.
select a.day from archived_days as a where a.day = $1 for update
