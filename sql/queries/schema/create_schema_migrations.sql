-- Creates the table that records which migrations were applied.
-- Rows: none.
create table schema_migrations (
    version integer primary key,
    name text not null,
    applied_at timestamptz not null default now()
)
