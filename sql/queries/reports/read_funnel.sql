-- How many sessions or users reach each step of a funnel; see functions/funnels/read_funnel.sql.
-- $1 from, $2 to (exclusive), $3 whether by user, $4 whether strict, $5 minutes that a run may take,
-- one element per step: $6 event type, $7 tool name, $8 action, $9 a jsonpath predicate on fields, $10 one on
-- properties,
-- $11 the values of the predicates,
-- $12 the dimension that divides runs, or null, $13 the path of a property for it, $14 maximum keys to name,
-- $15 maximum dropped_ids, $16 filters
-- Rows: one per step, for the whole and for each key (whole, key, step, reached, median, p90, dropped_ids).
select whole, key, step, reached, median, p90, dropped_ids
from read_funnel(
    $1, $2, $3, $4, $5, $6, $7, $8, $9::text[]::jsonpath[], $10::text[]::jsonpath[], $11, $12, $13, $14, $15, $16
)
