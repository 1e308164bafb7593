-- The version of who may do what, and where; it grows with each change.
-- Rows: one (version).
select a.version
from access_state as a
