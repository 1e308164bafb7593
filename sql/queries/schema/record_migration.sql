-- Records that a migration was applied.
-- $1 version, $2 name
-- Rows: none.
insert into schema_migrations (version, name)
values ($1, $2)
