-- Locks the log, so that no day leaves it, or comes back, before the transaction ends. Days ahead may still be made.
-- Rows: none.
lock table only events in access share mode
