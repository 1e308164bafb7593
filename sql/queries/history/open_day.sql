-- Opens a day before the horizon, so that it takes history.
-- $1 day, $2 reason, $3 who asked, $4 the time that passed, or null
-- Rows: one (hindrance: null when the day is open, passes).
select hindrance, passes
from open_day($1, $2, $3, $4)
