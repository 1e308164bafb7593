-- Records for how long events and rollups are kept.
-- $1 days of events, $2 days of rollups, $3 whether longer ones are recorded, $4 whether shorter ones are
-- Rows: one (event_days, rollup_days: the retention in force).
select event_days, rollup_days
from record_retention($1, $2, $3, $4)
