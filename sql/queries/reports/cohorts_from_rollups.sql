-- How many users or visitors came back, from the projection; see functions/reports/cohorts_from_rollups.sql.
-- $1 shards, $2 bounds of the periods, $3 user or visitor
-- Rows: one per cohort and period (cohort and period from 1, owners, last_owners).
select cohort, period, owners, last_owners
from cohorts_from_rollups($1, $2, $3)
