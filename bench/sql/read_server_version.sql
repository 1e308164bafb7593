-- The version of the server.
-- Rows: one (version).
select current_setting('server_version') as version
