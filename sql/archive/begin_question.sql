-- Make the place of the tables that a question needs.
-- Rows: none.
create schema if not exists question;
