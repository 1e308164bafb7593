-- Drops the database that was replaced. Not in a transaction.
-- Rows: none.
drop database if exists hourledger_former
