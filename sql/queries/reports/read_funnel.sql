-- How far sessions or users get through the steps of a funnel; see functions/funnels/read_funnel.sql.
-- $1 from, $2 to (exclusive), $3 whether by user, $4 whether strict, $5 minutes that a run may take,
-- of each step $6 the event type, $7 the tool name, $8 the action, $9 a jsonpath predicate on fields, $10 one on properties,
-- and $11 their values,
-- $12 the dimension that runs are divided by, or null, $13 the path of a property for it, $14 how many keys are named,
-- $15 how many ids that did not go on, $16 filters
-- Rows: one per step, of the whole and of each key (whole, key, step, reached, median, p90, dropped_ids).
select whole, key, step, reached, median, p90, dropped_ids
from read_funnel(
    $1, $2, $3, $4, $5, $6, $7, $8, $9::text[]::jsonpath[], $10::text[]::jsonpath[], $11, $12, $13, $14, $15, $16
)
