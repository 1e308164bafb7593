-- The rows that one hour of the projection should have, recounted from the events up to a position (R4).
-- Rows are of two sorts:
--   dimension, key: `amount` events in `bucket`
--   kind, member:   the member is active in `bucket`
create or replace function hourly_recount(in_shard integer, in_hour timestamptz, upto bigint)
returns table (
    bucket timestamptz, dimension hourly_dimension, key text, kind hourly_member, member text, amount bigint
)
language sql stable
as $$
    -- One pass makes both sets: numbers of equal events, and the buckets of each session with each of its users.
    with counted as materialized (
        select c.bucket, c.event_type, c.tool_name, c.risk_mode, c.session_id, c.user_id, count(*) as events
        from (
            select
                quarter_of(e.timestamp) as bucket,
                e.session_id,
                e.user_id,
                e.event_type,
                e.tool_name,
                hourly_risk_mode(e.event_type, e.properties) as risk_mode
            from events as e
            -- `+ 0` keeps the planner off events_by_position, because it would read all of that index.
            where e.shard = $1 and e.timestamp >= $2 and e.timestamp < hour_after($2) and e.position + 0 <= $3
        ) as c
        group by grouping sets ((c.bucket, c.event_type, c.tool_name, c.risk_mode), (c.bucket, c.session_id, c.user_id))
    ),
    active as (
        select distinct c.bucket, a.kind, a.member
        from counted as c
        cross join lateral hourly_active(c.session_id, c.user_id) as a
        where c.session_id is not null and (a.kind = 'session' or $2 >= (select people_since($1)))
    )
    select c.bucket, k.dimension, k.key, null::hourly_member, null::text, sum(c.events)::bigint
    from counted as c
    cross join lateral hourly_keys(c.event_type, c.tool_name, c.risk_mode) as k
    where c.session_id is null
    group by c.bucket, k.dimension, k.key
    union all
    select a.bucket, null, null, a.kind, a.member, 1 from active as a
$$;
