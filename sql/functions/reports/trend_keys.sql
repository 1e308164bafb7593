-- The dimensions and keys that an event counts toward in a trend: those of a rollup (R4), and action and demo_mode,
-- which only the log has. Rows: one per dimension in which the event has a key.
create or replace function trend_keys(event_type text, tool_name text, risk_mode text, action text, demo_mode boolean)
returns table (dimension text, key text)
language sql immutable parallel safe
as $$
    select k.dimension::text, k.key from hourly_keys($1, $2, $3) as k
    union all
    select 'action', $4 where $4 is not null
    union all
    select 'demo_mode', case when $5 then 'true' else 'false' end where $5 is not null
$$;
