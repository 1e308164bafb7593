-- Makes the database that is to take the place of the embedded one. Not in a transaction.
-- Rows: none.
create database hourledger_replacement
