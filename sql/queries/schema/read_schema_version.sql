-- The newest migration that was applied.
-- Rows: one (version: 0 when none was).
select coalesce(max(version), 0) as version
from schema_migrations
