-- Records for how long events, rollups and rows are kept.
-- $1 days of events, $2 days of rollups, $3 days of rows, $4 whether longer ones are recorded, $5 whether shorter ones are
-- Rows: one (event_days, rollup_days, log_days: the retention in force).
select event_days, rollup_days, log_days
from record_retention($1, $2, $3, $4, $5)
