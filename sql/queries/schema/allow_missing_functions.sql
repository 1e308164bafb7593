-- Lets functions be created before the functions that they call, until the transaction ends; bodies are checked at run
-- time.
-- Rows: none.
set local check_function_bodies = off
