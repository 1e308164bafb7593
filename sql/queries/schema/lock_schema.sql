-- Lets only one process at a time change the schema: holds a lock until the transaction ends.
-- Rows: one, empty.
select pg_advisory_xact_lock(hashtextextended('hourledger schema', 0))
