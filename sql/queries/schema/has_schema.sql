-- Whether the database has our schema, in any version.
-- Rows: one (present).
select to_regclass('schema_migrations') is not null as present
