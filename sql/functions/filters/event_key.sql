-- The key of an event in a dimension: event_type, tool_name, action, risk_mode, demo_mode, or properties. For
-- properties the key is the value at `path`: (other) for a list, an object, or a text of more than 128 characters.
-- Null without a key.
create or replace function event_key(in_event events, dimension text, path text[])
returns text
language sql immutable parallel safe
as $$
    select case $2
        when 'event_type' then $1.event_type
        when 'tool_name' then $1.tool_name
        when 'action' then $1.action
        when 'risk_mode' then hourly_risk_mode($1.event_type, $1.properties)
        when 'demo_mode' then $1.demo_mode::text
        when 'properties' then
            case
                when jsonb_typeof($1.properties #> $3) in ('object', 'array') or length($1.properties #>> $3) > 128
                    then '(other)'
                else $1.properties #>> $3
            end
    end
$$;
