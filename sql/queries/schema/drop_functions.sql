-- Drops our functions, because they depend on the tables' types. The code of an older schema installs its own.
-- $1 names
-- Rows: one (dropped: how many).
select drop_functions($1) as dropped
