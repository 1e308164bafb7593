-- Whether the database holds any table but PostgreSQL's own.
-- Rows: one (present).
select exists (
    select from pg_tables where schemaname not in ('pg_catalog', 'information_schema')
) as present
