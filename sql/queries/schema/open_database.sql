-- Lets everyone who may connect to the embedded database do so again.
-- Rows: none.
alter database hourledger allow_connections true
