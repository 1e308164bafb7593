-- The server process that answers.
-- Rows: one (pid).
select pg_backend_pid() as pid
