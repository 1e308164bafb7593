-- Drops our views of the schema bi, because they depend on tables and functions that change.
-- $1 names
-- Rows: one (dropped: how many).
select drop_views($1) as dropped
