-- Locks the log, so that no day is dropped before the transaction ends.
-- Rows: none.
lock table events in access share mode
