-- How many users or visitors came back, from the events; see functions/reports/cohorts_from_events.sql.
-- $1 bounds of the periods, $2 user or visitor, $3 the type of the events that count as coming back, or null for any,
-- $4 filters
-- Rows: one per cohort and period (cohort and period from 1, owners, last_owners).
select cohort, period, owners, last_owners
from cohorts_from_events($1, $2, $3, $4)
