-- Gives the replacement the name of the embedded database.
-- Rows: none.
alter database hourledger_replacement rename to hourledger
