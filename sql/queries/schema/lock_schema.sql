-- Lets one process at a time change the schema, until its transaction ends.
-- Rows: one, empty.
select pg_advisory_xact_lock(hashtextextended('hourledger schema', 0))
