-- Forgets a migration that was rolled back.
-- $1 version
-- Rows: none.
delete from schema_migrations
where version = $1
