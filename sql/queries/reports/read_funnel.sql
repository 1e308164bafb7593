-- How far sessions or users get through the steps of a funnel; see functions/funnels/read_funnel.sql.
-- $1 from, $2 to (exclusive), $3 whether by user, $4 whether strict, $5 minutes that a run may take,
-- $6 event types, $7 tool names, $8 actions, $9 jsonpath predicates on properties and $10 their values, of each step,
-- $11 the dimension that runs are divided by, or null, $12 the path of a property for it, $13 how many keys are named,
-- $14 how many ids that did not go on, $15 filters
-- Rows: one per step, of the whole and of each key (whole, key, step, reached, median, p90, dropped_ids).
select whole, key, step, reached, median, p90, dropped_ids
from read_funnel($1, $2, $3, $4, $5, $6, $7, $8, $9::text[]::jsonpath[], $10, $11, $12, $13, $14, $15)
