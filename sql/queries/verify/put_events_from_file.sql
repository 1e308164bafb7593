-- Counts events of an hour that its file holds, but those that a quarantine leaves out, and puts the counts where
-- counted_alike reads them.
-- $1 shard, $2 hour, $3 to $11 one element per event: session_id, user_id, event_type, tool_name, action, properties,
-- demo_mode, timestamp, position
-- Rows: none.
insert into counts_from_files (
    shard, hour, quarter, event_type, tool_name, risk_mode, session_id, user_id, events
)
select $1, $2, c.quarter, c.event_type, c.tool_name, c.risk_mode, c.session_id, c.user_id, count(*)
from (
    select
        (date_part('minute', e.timestamp at time zone 'UTC')::integer / 15)::smallint as quarter,
        counted_name(n.refused_types, $1, 'event_type', e.event_type, e.position) as event_type,
        counted_name(n.refused_tools, $1, 'tool_name', e.tool_name, e.position) as tool_name,
        counted_name(n.refused_modes, $1, 'risk_mode', r.risk_mode, e.position) as risk_mode,
        e.session_id, e.user_id
    from unnest(
        $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[], $10::timestamptz[],
        $11::bigint[]
    ) as e (session_id, user_id, event_type, tool_name, action, properties, demo_mode, timestamp, position)
    cross join (
        select
            refused_positions($1, 'event_type', $2) as refused_types,
            refused_positions($1, 'tool_name', $2) as refused_tools,
            refused_positions($1, 'risk_mode', $2) as refused_modes
        offset 0
    ) as n
    cross join lateral hourly_risk_mode(e.event_type, e.properties::jsonb) as r (risk_mode)
    where not is_quarantined(
        $1, e.timestamp, e.session_id, e.user_id, e.event_type, e.tool_name, e.action, r.risk_mode, e.demo_mode,
        e.properties::jsonb
    )
) as c
group by grouping sets ((c.quarter, c.event_type, c.tool_name, c.risk_mode), (c.quarter, c.session_id, c.user_id))
