-- Whether an event passes the filters of a question; a filter that is null lets everything pass.
-- where_fields and where_properties are jsonpath predicates on its fields and on its properties; where_values holds their
-- values, by name. Stable for the sake of event_fields.
create or replace function event_matches(
    in_event events,
    session_id text,
    user_id text,
    tool_name text,
    event_type text,
    action text,
    demo_mode boolean,
    risk_mode text,
    where_fields jsonpath,
    where_properties jsonpath,
    where_values jsonb
)
returns boolean
language sql stable parallel safe
as $$
    select ($2 is null or $1.session_id = $2)
        and ($3 is null or $1.user_id = $3)
        and ($4 is null or $1.tool_name = $4)
        and ($5 is null or $1.event_type = $5)
        and ($6 is null or $1.action = $6)
        and ($7 is null or $1.demo_mode = $7)
        and ($8 is null or hourly_risk_mode($1.event_type, $1.properties) = $8)
        and ($9 is null or jsonb_path_match(event_fields($1), $9, $11, true))
        and ($10 is null or jsonb_path_match(coalesce($1.properties, '{}'), $10, $11, true))
$$;
