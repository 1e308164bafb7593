-- Takes the dead rows of completed erasures off the table of their ids.
-- Rows: none.
vacuum (analyze) erasing
