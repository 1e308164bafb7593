-- The steps of a funnel that an event may be, as a bit mask: 1 is the first step, 2 the second; see is_funnel_step.
create or replace function funnel_steps(
    in_event events,
    step_event_types text[],
    step_tool_names text[],
    step_actions text[],
    step_fields jsonpath[],
    step_properties jsonpath[],
    step_values jsonb
)
returns integer
language sql stable parallel safe
as $$
    select case when is_funnel_step($1, 1, $2, $3, $4, $5, $6, $7) then 1 else 0 end
        | case when is_funnel_step($1, 2, $2, $3, $4, $5, $6, $7) then 2 else 0 end
        | case when is_funnel_step($1, 3, $2, $3, $4, $5, $6, $7) then 4 else 0 end
        | case when is_funnel_step($1, 4, $2, $3, $4, $5, $6, $7) then 8 else 0 end
        | case when is_funnel_step($1, 5, $2, $3, $4, $5, $6, $7) then 16 else 0 end
        | case when is_funnel_step($1, 6, $2, $3, $4, $5, $6, $7) then 32 else 0 end
        | case when is_funnel_step($1, 7, $2, $3, $4, $5, $6, $7) then 64 else 0 end
        | case when is_funnel_step($1, 8, $2, $3, $4, $5, $6, $7) then 128 else 0 end
        | case when is_funnel_step($1, 9, $2, $3, $4, $5, $6, $7) then 256 else 0 end
        | case when is_funnel_step($1, 10, $2, $3, $4, $5, $6, $7) then 512 else 0 end
$$;
