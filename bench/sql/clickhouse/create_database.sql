-- Makes the database.
-- Rows: none.
create database bench engine = Atomic
