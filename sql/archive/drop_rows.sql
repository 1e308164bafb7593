-- Drop the table of the rows that a question read from PostgreSQL.
-- Rows: none.
drop table if exists log_rows;
