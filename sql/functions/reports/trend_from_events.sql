-- As read_trend, but counted from the events that pass the filters; see event_matches. When `in_shard` is null, all
-- shards are counted together, so that a user in several shards counts once. `named` may also hold action, demo_mode,
-- sessions and users. Sessions and users are counted only when named, identified sessions when both are, and new_users
-- never.
-- Rows: those of read_trend, and
--   action, demo_mode: `amount` events of `key` in the bucket, when named
-- and with `divided_by`, one of the dimensions, for each of its keys:
--   sessions, users, identified: distinct ones by events of `key` in the bucket, beside those of all events (key is null)
--   tool_uses: `amount` events of `key` that have a tool in the bucket
create or replace function trend_from_events(
    in_shard integer,
    bounds timestamptz[],
    named text[],
    keys text[],
    divided_by text,
    filters jsonb
)
returns table (bucket integer, measure text, key text, amount bigint)
language plpgsql stable
-- The planner must know the values to leave out days, drop absent filters and choose an index.
set plan_cache_mode = 'force_custom_plan'
as $$
#variable_conflict use_column
declare
    since constant timestamptz := bounds[1];
    until constant timestamptz := bounds[cardinality(bounds)];
begin
    return query
    -- One pass makes both sets: numbers of equal events, and the sessions and users of each bucket and part.
    with counted as materialized (
        select
            f.bucket, f.event_type, f.tool_name, f.risk_mode, f.action, f.demo_mode, f.part, f.session_id, f.user_id,
            grouping(f.session_id) = 0 as of_member,
            count(*) as events
        from (
            select
                width_bucket(e.timestamp, bounds) as bucket,
                e.event_type,
                e.tool_name,
                hourly_risk_mode(e.event_type, e.properties) as risk_mode,
                case when 'action' = any (named) then e.action end as action,
                case when 'demo_mode' = any (named) then e.demo_mode end as demo_mode,
                named_key(
                    case divided_by
                        when 'event_type' then e.event_type
                        when 'tool_name' then e.tool_name
                        when 'risk_mode' then hourly_risk_mode(e.event_type, e.properties)
                        when 'action' then e.action
                        when 'demo_mode' then e.demo_mode::text
                    end,
                    keys
                ) as part,
                case when 'sessions' = any (named) then e.session_id end as session_id,
                case when 'users' = any (named) then e.user_id end as user_id
            from events as e
            where (in_shard is null or e.shard = in_shard) and e.timestamp >= since and e.timestamp < until
                and event_matches(e, filters)
        ) as f
        group by grouping sets (
            (f.bucket, f.event_type, f.tool_name, f.risk_mode, f.action, f.demo_mode, f.part),
            (f.bucket, f.part, f.session_id, f.user_id)
        )
    ),
    distinct_members as (
        select
            c.bucket, c.part,
            count(distinct c.session_id) as sessions,
            count(distinct c.user_id) as users,
            count(distinct c.session_id) filter (where c.user_id is not null) as identified
        from counted as c
        where c.of_member
        group by grouping sets ((c.bucket), (c.bucket, c.part))
        -- One row for the whole and one per part. Events without a key are in no part.
        having grouping(c.part) = 1 or c.part is not null
    )
    select c.bucket, k.dimension, case when k.dimension = any (named) then named_key(k.key, keys) end, sum(c.events)::bigint
    from counted as c
    cross join lateral trend_keys(c.event_type, c.tool_name, c.risk_mode, c.action, c.demo_mode) as k
    where not c.of_member
    group by 1, 2, 3
    union all
    select c.bucket, 'tool_uses', c.part, sum(c.events)::bigint
    from counted as c
    where not c.of_member and c.part is not null and c.tool_name is not null
    group by c.bucket, c.part
    union all
    select d.bucket, w.measure, d.part, w.amount
    from distinct_members as d
    cross join lateral (
        values ('sessions', d.sessions), ('users', d.users), ('identified', d.identified)
    ) as w (measure, amount)
    where w.amount > 0
    union all
    select null, w.measure, null, w.amount
    from log_heads as h
    cross join lateral hourly_standing(h.shard) as s
    cross join lateral (values ('position', s.head), ('lag_events', s.lag_events)) as w (measure, amount)
    where in_shard is null or h.shard = in_shard;
end
$$;
