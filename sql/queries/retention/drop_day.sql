-- Drops the events of a day that is closed, folded and sealed.
-- $1 day, $2 clock or null
-- Rows: one (hindrance: why the day was not dropped, null when it was; failed: the hindrance does not pass by itself).
select hindrance, failed
from drop_day($1, $2)
