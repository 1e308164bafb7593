-- Creates the table that records which migrations were applied, unless it exists.
-- Rows: none.
create table if not exists schema_migrations (
    version integer primary key,
    name text not null,
    applied_at timestamptz not null default now()
)
