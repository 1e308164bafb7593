-- Drops our functions: they stand on the tables' types, and the code of an older schema installs its own.
-- $1 names
-- Rows: one (dropped: how many).
select drop_functions($1) as dropped
