-- Begins the next version of a projection, or finds the one under way.
-- $1 projection
-- Rows: one (version).
select begin_version($1) as version
