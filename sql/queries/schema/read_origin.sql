-- When the schema of this database was begun, which tells databases apart: a backup takes it along.
-- Rows: one (begun).
select min(applied_at) as begun
from schema_migrations
