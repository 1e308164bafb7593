-- Drop the tables of a question.
-- Rows: none.
drop schema if exists question cascade;
