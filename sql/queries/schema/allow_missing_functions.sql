-- Lets a function be made before the functions it calls; PostgreSQL checks it when it runs.
-- Rows: none.
set local check_function_bodies = off
