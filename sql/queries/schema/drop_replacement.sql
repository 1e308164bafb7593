-- Drops the replacement that a restore left behind when it was ended. Not in a transaction.
-- Rows: none.
drop database if exists hourledger_replacement
