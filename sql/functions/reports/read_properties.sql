-- The properties of the events in a range that pass the filters; see event_matches. A property is a path of up to
-- `most_depth` names. With `wanted`, only that path is read, however deep. The answer names the `most_properties`
-- properties with the most events, and for each the `most_values` values with the most events. All shards at once:
-- values are in many.
-- Rows: most frequent properties first, each with its most frequent values first; `path` is a JSON list of names:
--   events: all events that pass
--   more: the number of properties that are not named
--   type: events whose `path` has a value of the type `key`
--   distinct: values of `path` that could be named
--   value: events whose `path` has the value `key`, which is JSON
create or replace function read_properties(
    since timestamptz,
    until timestamptz,
    wanted text[],
    most_depth integer,
    most_properties integer,
    most_values integer,
    filters jsonb
)
returns table (measure text, path text, key text, amount bigint)
language plpgsql stable
-- The planner must know the values to leave out days, drop absent filters and choose an index.
set plan_cache_mode = 'force_custom_plan'
as $$
#variable_conflict use_column
declare
    depth constant integer := coalesce(cardinality(wanted), most_depth);
begin
    return query
    -- Equal values are counted before objects are expanded. Values that cannot be named count as equal.
    with recursive outer_values as materialized (
        select
            p.name,
            jsonb_typeof(p.value) as type,
            case when jsonb_typeof(p.value) = 'object' then p.value else scalar_value(p.value) end as value,
            count(*) as events,
            count(*) filter (where coalesce(p.place, 1) = 1) as whole_events
        from events as e
        left join lateral jsonb_each(e.properties) with ordinality as p (name, value, place) on true
        where e.timestamp >= since and e.timestamp < until
            and event_matches(e, filters)
        group by 1, 2, 3
    ),
    found (path, type, value, events) as (
        select array[o.name collate "C"], o.type, o.value, o.events
        from outer_values as o
        where o.name is not null and (wanted is null or o.name = wanted[1])
        union all
        select f.path || p.name collate "C", jsonb_typeof(p.value), p.value, f.events
        from found as f
        cross join lateral jsonb_each(case when f.type = 'object' then f.value end) as p (name, value)
        where cardinality(f.path) < depth and (wanted is null or p.name = wanted[cardinality(f.path) + 1])
    ),
    counted as materialized (
        -- Texts, because PostgreSQL compares them faster than arrays and JSON.
        select
            to_json(f.path)::text collate "C" as path,
            f.type,
            scalar_text(scalar_value(f.value)) as value,
            sum(f.events)::bigint as events
        from found as f
        where wanted is null or f.path = wanted
        group by 1, 2, 3
    ),
    named as materialized (
        select
            c.path,
            count(c.value) as distinct_values,
            -- Without the closing bracket, an object's path sorts before the paths inside it.
            row_number() over (order by sum(c.events) desc, rtrim(c.path, ']')) as place
        from counted as c
        group by c.path
    ),
    valued as (
        select
            n.place, c.path, c.value, c.events,
            row_number() over (partition by n.place order by c.events desc, c.value) as value_place
        from counted as c
        join named as n on n.path = c.path
        where c.value is not null and n.place <= most_properties
    ),
    shown as (
        select n.place, 0 as value_place, 'type' as measure, c.path, c.type as key, sum(c.events)::bigint as amount
        from counted as c
        join named as n on n.path = c.path
        where n.place <= most_properties
        group by n.place, c.path, c.type
        union all
        select n.place, 0, 'distinct', n.path, null, n.distinct_values
        from named as n
        where n.place <= most_properties
        union all
        select v.place, v.value_place, 'value', v.path, v.value, v.events
        from valued as v
        where v.value_place <= most_values
        union all
        select 0, 0, 'events', null, null, coalesce(sum(o.whole_events), 0)::bigint
        from outer_values as o
        union all
        select 0, 0, 'more', null, null, greatest(count(*) - most_properties, 0)
        from named as n
    )
    select s.measure, s.path, s.key, s.amount
    from shown as s
    order by s.place, s.value_place, s.key;
end
$$;
