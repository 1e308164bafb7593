-- Takes the events of a day that is closed, folded and sealed out of the log.
-- $1 day, $2 time before which they are not dropped, $3 clock or null, $4 files that were just proven when the archive keeps
-- the day, else null
-- Rows: one (hindrance: why the day was not detached, null when it was; failed: the hindrance does not pass by itself).
select hindrance, failed
from detach_day($1, $2, $3, $4)
