-- Ends the connections of others to the embedded database, such as those of BI tools.
-- Rows: one per connection (ended).
select pg_terminate_backend(pid) as ended
from pg_stat_activity
where datname = 'hourledger' and pid <> pg_backend_pid()
