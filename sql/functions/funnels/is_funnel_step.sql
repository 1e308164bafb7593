-- Whether an event does what a step of a funnel asks for; what is null in a step asks for nothing. Steps count from 1, and
-- there are none beyond the last.
-- step_conditions are jsonpath predicates on properties, step_values their values: a JSON array with an object for each step.
create or replace function is_funnel_step(
    in_event events,
    step integer,
    step_event_types text[],
    step_tool_names text[],
    step_actions text[],
    step_conditions jsonpath[],
    step_values jsonb
)
returns boolean
language sql immutable parallel safe
as $$
    select $2 <= cardinality($3)
        and ($3[$2] is null or $1.event_type = $3[$2])
        and ($4[$2] is null or $1.tool_name = $4[$2])
        and ($5[$2] is null or $1.action = $5[$2])
        and ($6[$2] is null or jsonb_path_match(coalesce($1.properties, '{}'), $6[$2], $7 -> ($2 - 1), true))
$$;
