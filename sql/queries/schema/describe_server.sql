-- The server's version and the database's encoding.
-- Rows: one (version, such as 180004; encoding).
select current_setting('server_version_num')::integer as version, current_setting('server_encoding') as encoding
