-- Keeps every day from being dropped until the transaction ends.
-- Rows: none.
lock table events in access share mode
