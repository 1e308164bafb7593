-- Drops the tables that interrupted imports of history left.
-- $1 how old they are at least, or null for all of them
-- Rows: one (dropped).
select drop_restored($1) as dropped
