-- Whether a quarantine in force leaves an event out of all numbers (R4). service/archive/quarantines.py says the same in
-- DuckDB's words. `risk_mode` is hourly_risk_mode of the event.
create or replace function is_quarantined(
    in_shard integer,
    moment timestamptz,
    session_id text,
    user_id text,
    event_type text,
    tool_name text,
    action text,
    risk_mode text,
    demo_mode boolean,
    properties jsonb
)
returns boolean
language sql stable
as $$
    select exists (
        select
        from quarantined_days as d
        join quarantines as q on q.number = d.quarantine
        where d.shard = $1 and d.day = ($2 at time zone 'UTC')::date and $2 >= q.since and $2 < q.until
            and (
                q.of_fields is null
                or jsonb_path_match(
                    jsonb_build_object(
                        'session_id', $3, 'user_id', $4, 'event_type', $5, 'tool_name', $6, 'action', $7,
                        'risk_mode', $8, 'demo_mode', $9
                    ),
                    q.of_fields, q.operands, true
                )
            )
            and (
                q.of_properties is null
                -- A condition on both reads the fields from the variable `event`.
                or jsonb_path_match(
                    coalesce($10, '{}'),
                    q.of_properties,
                    q.operands || jsonb_build_object('event', jsonb_build_object(
                        'session_id', $3, 'user_id', $4, 'event_type', $5, 'tool_name', $6, 'action', $7,
                        'risk_mode', $8, 'demo_mode', $9
                    )),
                    true
                )
            )
    )
$$;
