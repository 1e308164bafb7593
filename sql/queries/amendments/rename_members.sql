-- Gives another name to member rows of hours whose events are gone; see functions/amendments/rename_members.sql.
-- $1 erasure, $2 shard, $3 version, $4 code version, $5 clock or null
-- Rows: one (hindrance, members).
select hindrance, members
from rename_members($1, $2, $3, $4, $5)
