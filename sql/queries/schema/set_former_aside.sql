-- Takes the name from the embedded database, which must have no connections.
-- Rows: none.
alter database hourledger rename to hourledger_former
