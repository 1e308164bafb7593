-- Whether an event passes the filters of a question. `filters` is a JSON object; an absent filter passes every event.
--   session_id, user_id, tool_name, event_type, action, demo_mode, risk_mode: the event has this value
--   where_fields, where_properties: jsonpath predicates on its fields and its properties
--   where_values: the values of those predicates by name
-- When `filters` is a constant, PostgreSQL folds each `->>` at planning, so that only filters that are set are tested.
-- Declared stable, because event_fields is.
create or replace function event_matches(in_event events, filters jsonb)
returns boolean
language sql stable parallel safe
as $$
    select ($2 ->> 'session_id' is null or $1.session_id = $2 ->> 'session_id')
        and ($2 ->> 'user_id' is null or $1.user_id = $2 ->> 'user_id')
        and ($2 ->> 'tool_name' is null or $1.tool_name = $2 ->> 'tool_name')
        and ($2 ->> 'event_type' is null or $1.event_type = $2 ->> 'event_type')
        and ($2 ->> 'action' is null or $1.action = $2 ->> 'action')
        and ($2 ->> 'demo_mode' is null or $1.demo_mode = ($2 ->> 'demo_mode')::boolean)
        and ($2 ->> 'risk_mode' is null or hourly_risk_mode($1.event_type, $1.properties) = $2 ->> 'risk_mode')
        and (
            $2 ->> 'where_fields' is null
            or jsonb_path_match(event_fields($1), ($2 ->> 'where_fields')::jsonpath, $2 -> 'where_values', true)
        )
        and (
            $2 ->> 'where_properties' is null
            or jsonb_path_match(
                coalesce($1.properties, '{}'), ($2 ->> 'where_properties')::jsonpath, $2 -> 'where_values', true
            )
        )
$$;
