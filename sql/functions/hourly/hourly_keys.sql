-- The dimensions and keys that an event counts toward: the one definition of a rollup (R4).
-- Rows: one per dimension in which the event has a key.
create or replace function hourly_keys(event_type text, tool_name text, risk_mode text)
returns table (dimension hourly_dimension, key text)
language sql immutable parallel safe
as $$
    select counted.dimension, counted.key
    from (
        values ('event_type'::hourly_dimension, $1), ('tool_name', $2), ('risk_mode', $3)
    ) as counted (dimension, key)
    where counted.key is not null
$$;
