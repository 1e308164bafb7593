-- Drops the overloads of our functions that an older release left; see functions/schema/drop_old_functions.sql.
-- $1 names
-- Rows: one per function that stays because other objects depend on it (signature, detail: which objects).
select o.signature, o.detail
from drop_old_functions($1) as o
