-- Refuses new connections to the embedded database, also from superusers. Those that are open stay.
-- Rows: none.
alter database hourledger allow_connections false
