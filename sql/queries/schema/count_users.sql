-- The connections of services and commands to this database, without this connection, which has another name.
-- Rows: one (the number).
select count(*)
from pg_stat_activity
where datname = current_database() and application_name = 'hourledger' and pid <> pg_backend_pid()
