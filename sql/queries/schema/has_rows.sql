-- Whether a table holds any row.
-- $1 table
-- Rows: one (present).
select has_rows($1) as present
