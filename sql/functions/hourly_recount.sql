-- What one hour of the projection should hold, counted anew from the events up to a position (R4).
-- Rows are of two kinds: dimension, key: `amount` events in `bucket`; session_id: the session is active in `bucket`.
create or replace function hourly_recount(in_shard integer, in_hour timestamptz, upto bigint)
returns table (bucket timestamptz, dimension hourly_dimension, key text, session_id text, amount bigint)
language sql stable
as $$
    with counted as materialized (
        select
            quarter_of(e.timestamp) as bucket,
            e.session_id,
            e.event_type,
            e.tool_name,
            hourly_risk_mode(e.event_type, e.properties) as risk_mode
        from events as e
        -- `+ 0` keeps the planner off events_by_position, which it would read from end to end.
        where e.shard = $1 and e.timestamp >= $2 and e.timestamp < $2 + interval '1 hour' and e.position + 0 <= $3
    )
    select alike.bucket, k.dimension, k.key, null::text, sum(alike.events)::bigint
    from (
        select c.bucket, c.event_type, c.tool_name, c.risk_mode, count(*) as events
        from counted as c
        group by c.bucket, c.event_type, c.tool_name, c.risk_mode
    ) as alike
    cross join lateral hourly_keys(alike.event_type, alike.tool_name, alike.risk_mode) as k
    group by alike.bucket, k.dimension, k.key
    union all
    select c.bucket, null, null, c.session_id, 1 from counted as c group by c.bucket, c.session_id
$$;
