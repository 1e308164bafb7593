-- Forgets a migration that was taken back.
-- $1 version
-- Rows: none.
delete from schema_migrations
where version = $1
