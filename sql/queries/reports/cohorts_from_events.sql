-- Who came back, by raw events; see functions/cohorts_from_events.sql.
-- $1 bounds of the periods, $2 user or visitor, $3 the type of the events that count as coming back, or null for any,
-- $4 to $13 the filters, as event_matches takes them
-- Rows: one per cohort and period (cohort and period from 1, owners, last_owners).
select cohort, period, owners, last_owners
from cohorts_from_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
