-- Whether the database has any schema of ours.
-- Rows: one (present).
select to_regclass('schema_migrations') is not null as present
