-- Drops what an older release left of our functions: overloads, and functions that this release has not; see
-- functions/schema/drop_old_functions.sql.
-- $1 names of the functions of this release
-- Rows: one per function that stays because other objects depend on it (signature, detail: which objects).
select o.signature, o.detail
from drop_old_functions($1 || former_functions()) as o
