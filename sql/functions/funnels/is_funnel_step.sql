-- Whether an event meets the conditions of a step of a funnel. A null condition is always met. Steps count from 1; no
-- event is a step beyond the last.
-- step_fields and step_properties are jsonpath predicates on an event's fields and properties. step_values holds their
-- values: a JSON array with one object per step. Declared stable, because event_fields is.
create or replace function is_funnel_step(
    in_event events,
    step integer,
    step_event_types text[],
    step_tool_names text[],
    step_actions text[],
    step_fields jsonpath[],
    step_properties jsonpath[],
    step_values jsonb
)
returns boolean
language sql stable parallel safe
as $$
    select $2 <= cardinality($3)
        and ($3[$2] is null or $1.event_type = $3[$2])
        and ($4[$2] is null or $1.tool_name = $4[$2])
        and ($5[$2] is null or $1.action = $5[$2])
        and ($6[$2] is null or jsonb_path_match(event_fields($1), $6[$2], $8 -> ($2 - 1), true))
        and ($7[$2] is null or jsonb_path_match(coalesce($1.properties, '{}'), $7[$2], $8 -> ($2 - 1), true))
$$;
