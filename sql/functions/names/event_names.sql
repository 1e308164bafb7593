-- The names that an event has: what numbers by name count it under. risk_mode is hourly_risk_mode of the event.
-- Rows: one per kind in which the event has a name.
create or replace function event_names(event_type text, tool_name text, action text, risk_mode text)
returns table (kind text, name text)
language sql immutable parallel safe
as $$
    select named.kind, named.name
    from (
        values ('event_type', $1), ('tool_name', $2), ('action', $3), ('risk_mode', $4)
    ) as named (kind, name)
    where named.name is not null
$$;
