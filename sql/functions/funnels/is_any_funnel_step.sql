-- Whether an event may be any step of a funnel; see is_funnel_step. Written out, so that an index can find rare steps.
create or replace function is_any_funnel_step(
    in_event events,
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
    select is_funnel_step($1, 1, $2, $3, $4, $5, $6, $7)
        or is_funnel_step($1, 2, $2, $3, $4, $5, $6, $7)
        or is_funnel_step($1, 3, $2, $3, $4, $5, $6, $7)
        or is_funnel_step($1, 4, $2, $3, $4, $5, $6, $7)
        or is_funnel_step($1, 5, $2, $3, $4, $5, $6, $7)
        or is_funnel_step($1, 6, $2, $3, $4, $5, $6, $7)
        or is_funnel_step($1, 7, $2, $3, $4, $5, $6, $7)
        or is_funnel_step($1, 8, $2, $3, $4, $5, $6, $7)
        or is_funnel_step($1, 9, $2, $3, $4, $5, $6, $7)
        or is_funnel_step($1, 10, $2, $3, $4, $5, $6, $7)
$$;
