-- The fields of an event that conditions can test, as a JSON object.
-- Declared stable, as jsonb_build_object is: PostgreSQL would not inline an immutable function that calls a stable one.
create or replace function event_fields(in_event events)
returns jsonb
language sql stable parallel safe
as $$
    select jsonb_build_object(
        'event_type', $1.event_type,
        'session_id', $1.session_id,
        'user_id', $1.user_id,
        'tool_name', $1.tool_name,
        'action', $1.action,
        'demo_mode', $1.demo_mode,
        'risk_mode', hourly_risk_mode($1.event_type, $1.properties)
    )
$$;
