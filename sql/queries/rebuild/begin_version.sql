-- Begins the next version of a projection, or returns the one that a rebuild under way has begun.
-- $1 projection
-- Rows: one (version).
select begin_version($1) as version
