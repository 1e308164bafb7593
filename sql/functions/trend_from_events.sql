-- As read_trend, counted from the events of one shard that pass the filters, which are those of event_matches.
-- `named` may hold action and demo_mode, too, and sessions: they are counted only then. Rows beside those of read_trend:
--   action, demo_mode: `amount` events of `key` in the bucket, when named
-- and with `divided_by`, one of the dimensions, for each of its keys:
--   sessions: distinct sessions with events of `key` in the bucket, beside those of all events (key is null)
--   tool_uses: `amount` events of `key` that have a tool in the bucket
create or replace function trend_from_events(
    in_shard integer,
    bounds timestamptz[],
    named text[],
    keys text[],
    divided_by text,
    in_session_id text,
    in_user_id text,
    in_tool_name text,
    in_event_type text,
    in_action text,
    in_demo_mode boolean,
    in_risk_mode text,
    where_fields jsonpath,
    where_properties jsonpath,
    where_values jsonb
)
returns table (bucket integer, measure text, key text, amount bigint)
language plpgsql stable
-- Days are left out, filters that are not asked for vanish, and an index fits, only when the planner knows the values.
set plan_cache_mode = 'force_custom_plan'
as $$
#variable_conflict use_column
declare
    since constant timestamptz := bounds[1];
    until constant timestamptz := bounds[cardinality(bounds)];
begin
    return query
    -- One pass makes both sets: events that count alike, and the sessions of each bucket and part.
    with counted as materialized (
        select
            f.bucket, f.event_type, f.tool_name, f.risk_mode, f.action, f.demo_mode, f.part, f.session_id,
            grouping(f.session_id) = 0 as of_session,
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
                case when 'sessions' = any (named) then e.session_id end as session_id
            from events as e
            where e.shard = in_shard and e.timestamp >= since and e.timestamp < until
                and event_matches(
                    e, in_session_id, in_user_id, in_tool_name, in_event_type, in_action, in_demo_mode, in_risk_mode,
                    where_fields, where_properties, where_values
                )
        ) as f
        group by grouping sets (
            (f.bucket, f.event_type, f.tool_name, f.risk_mode, f.action, f.demo_mode, f.part),
            (f.bucket, f.part, f.session_id)
        )
    )
    select c.bucket, k.dimension, case when k.dimension = any (named) then named_key(k.key, keys) end, sum(c.events)::bigint
    from counted as c
    cross join lateral trend_keys(c.event_type, c.tool_name, c.risk_mode, c.action, c.demo_mode) as k
    where not c.of_session
    group by 1, 2, 3
    union all
    select c.bucket, 'tool_uses', c.part, sum(c.events)::bigint
    from counted as c
    where not c.of_session and c.part is not null and c.tool_name is not null
    group by c.bucket, c.part
    union all
    select c.bucket, 'sessions', null, count(distinct c.session_id)
    from counted as c
    where c.of_session and c.session_id is not null
    group by c.bucket
    union all
    select c.bucket, 'sessions', c.part, count(*)
    from counted as c
    where c.of_session and c.session_id is not null and c.part is not null
    group by c.bucket, c.part
    union all
    select null, w.measure, null, w.amount
    from hourly_standing(in_shard) as s
    cross join lateral (values ('position', s.head), ('lag_events', s.lag_events)) as w (measure, amount);
end
$$;
