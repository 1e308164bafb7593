-- Drops our functions: they depend on the tables' types, and an older schema needs the functions of its own code.
-- $1 names
-- Rows: one (dropped: how many).
select drop_functions($1) as dropped
