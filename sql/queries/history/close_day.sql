-- Closes a day that is closing; see functions/history/close_day.sql.
-- $1 day, $2 time before which its rows are not dropped, $3 clock or null, $4 files that were just proven when the archive
-- keeps the day, else null
-- Rows: one (hindrance: null when it is closed; failed: the hindrance does not pass by itself).
select hindrance, failed
from close_day($1, $2, $3, $4)
