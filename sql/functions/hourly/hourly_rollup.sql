-- The stored rollup of one hour of a shard, as answers show it. Rows: one, zeros for an hour without events.
create or replace function hourly_rollup(in_shard integer, in_version integer, in_hour timestamptz)
returns table (document json, events bigint, sessions bigint, keys bigint)
language sql stable
as $$
    with counts as (
        select c.dimension, c.key, c.events_00 + c.events_15 + c.events_30 + c.events_45 as events
        from hourly_counts as c
        where c.shard = $1 and c.version = $2 and c.hour = $3
    ),
    kinds as (
        select
            c.dimension,
            '{' || string_agg(to_json(c.key)::text || ':' || c.events, ',' order by c.events desc, c.key) || '}' as counts,
            count(*) as keys,
            sum(c.events)::bigint as events
        from counts as c
        group by c.dimension
    ),
    total as (
        select
            coalesce(max(k.counts) filter (where k.dimension = 'event_type'), '{}') as event_counts,
            coalesce(max(k.counts) filter (where k.dimension = 'tool_name'), '{}') as tool_usage,
            coalesce(max(k.counts) filter (where k.dimension = 'risk_mode'), '{}') as risk_distribution,
            coalesce(max(k.events) filter (where k.dimension = 'event_type'), 0) as events,
            coalesce(max(k.keys), 0) as keys
        from kinds as k
    ),
    active as (
        select coalesce(sum(e.members), 0)::bigint as sessions
        from hourly_edges as e
        where e.shard = $1 and e.version = $2 and e.kind = 'session' and e.bucket >= $3 and e.bucket < $3 + interval '1 hour'
            and e.previous < $3
    )
    select
        (
            '{"hour":"' || to_char($3 at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS".000Z"')
            || '","event_counts":' || t.event_counts
            || ',"tool_usage":' || t.tool_usage
            || ',"risk_distribution":' || t.risk_distribution
            || ',"unique_sessions":' || a.sessions
            || ',"total_events":' || t.events || '}'
        )::json,
        t.events, a.sessions, t.keys
    from total as t
    cross join active as a
$$;
