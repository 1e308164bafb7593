-- Whether an event passes the filters of a list; a filter that is null lets everything pass.
create or replace function event_matches(
    in_event events,
    session_id text,
    user_id text,
    tool_name text,
    event_type text,
    action text,
    demo_mode boolean,
    risk_mode text
)
returns boolean
language sql immutable parallel safe
as $$
    select ($2 is null or $1.session_id = $2)
        and ($3 is null or $1.user_id = $3)
        and ($4 is null or $1.tool_name = $4)
        and ($5 is null or $1.event_type = $5)
        and ($6 is null or $1.action = $6)
        and ($7 is null or $1.demo_mode = $7)
        and ($8 is null or hourly_risk_mode($1.event_type, $1.properties) = $8)
$$;
