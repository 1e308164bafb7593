-- What kind of server and database this is.
-- Rows: one (version, such as 180004; encoding).
select current_setting('server_version_num')::integer as version, current_setting('server_encoding') as encoding
