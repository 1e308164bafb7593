-- Takes the dead rows of completed erasures off the tables of their ids and of what only the certificate tells.
-- Rows: none.
vacuum (analyze) erasing, erasure_steps
