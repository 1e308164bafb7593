-- The properties of events; see Properties in service/archive/questions.py.
-- totals: events, numbers whose sum is the number of events that pass
-- texts: text, the JSON object of such an event, with its numbers as service/archive/json_text.py keeps them exactly;
--   skipped: names at its top level that are not to be read
-- items: name, at the top level of events; item, the JSON text of its value; events with it
-- typed: name, type (string, number, boolean) and value (text) of properties at the top level; events with it
-- Parameters: $wanted, the only path to read, or null; $depth, the most names in a path; $most_properties, $most_values.
-- Rows: measure, path, key, amount. Most frequent properties first, each with its most frequent values first; `path` is
-- a JSON list of names:
--   events: all events that pass
--   more: the number of properties that are not named
--   type: events whose `path` has a value of the type `key`
--   distinct: values of `path` that could be named
--   value: events whose `path` has the value `key`, which is JSON
with recursive outer_items as (
    select name, item, events::bigint as events
    from items
    union all
    select m.key, m.value::varchar, count(*)
    from texts as t
    cross join lateral json_each(t.text) as m
    where not list_contains(t.skipped, m.key)
    group by all
),
found as (
    select [name] as path, item, events
    from outer_items
    union all
    select list_append(f.path, m.key), m.value::varchar, f.events
    from found as f
    cross join lateral json_each(case when starts_with(f.item, '{') then f.item else '{}' end) as m
    where len(f.path) < $depth and ($wanted::varchar[] is null or m.key = $wanted[len(f.path) + 1])
),
read as (
    select
        path, item, events,
        case
            when starts_with(item, '"\u0000') then 'number'
            when starts_with(item, '"') then 'string'
            when starts_with(item, '{') then 'object'
            when starts_with(item, '[') then 'array'
            when item in ('true', 'false') then 'boolean'
            when item = 'null' then 'null'
            else 'number'
        end as type
    from found
    where $wanted::varchar[] is null or path = $wanted
),
scalars as (
    select
        path, type, events,
        case
            when type = 'string' then json_extract_string(item, '$')
            when type = 'number' and starts_with(item, '"') then substring(item, 8, length(item) - 8)
            when type in ('number', 'boolean') then item
        end as value
    from read
    union all
    select [name], type, events, value
    from typed
),
-- A value can be named when it has up to 256 characters. Equal numbers have one text.
texted as (
    select
        to_json(path)::varchar as path, type, events,
        case
            when length(value) > 256 then null
            when type = 'string' then to_json(value)::varchar
            when type = 'number' and contains(value, '.') then rtrim(rtrim(value, '0'), '.')
            else value
        end as value
    from scalars
),
-- PostgreSQL writes control characters in lower case. What looks like one behind a backslash is not one.
written as (
    select
        type, events,
        list_transform([path, value], lambda text: case when contains(text, '\u00') then
            replace(
                list_reduce(
                    ['A', 'B', 'C', 'D', 'E', 'F'],
                    lambda done, digit: regexp_replace(done, '(\\u00[01])' || digit, '\1' || lower(digit), 'g'),
                    replace(text, '\\', chr(1))
                ),
                chr(1), '\\'
            )
        else text end) as texts
    from texted
),
counted as materialized (
    select texts[1] as path, type, texts[2] as value, sum(events)::bigint as events
    from written
    group by all
),
named as materialized (
    select
        path,
        count(value) as distinct_values,
        -- Without the closing bracket, an object's path sorts before the paths inside it.
        row_number() over (order by sum(events) desc, rtrim(path, ']')) as place
    from counted
    group by path
),
valued as (
    select
        n.place, c.path, c.value, c.events,
        row_number() over (partition by n.place order by c.events desc, c.value) as value_place
    from counted as c
    join named as n on n.path = c.path
    where c.value is not null and n.place <= $most_properties
),
shown as (
    select n.place, 0 as value_place, 'type' as measure, c.path, c.type as key, sum(c.events)::bigint as amount
    from counted as c
    join named as n on n.path = c.path
    where n.place <= $most_properties
    group by n.place, c.path, c.type
    union all
    select place, 0, 'distinct', path, null, distinct_values
    from named
    where place <= $most_properties
    union all
    select place, value_place, 'value', path, value, events
    from valued
    where value_place <= $most_values
    union all
    select 0, 0, 'events', null, null, coalesce(sum(events), 0)::bigint
    from totals
    union all
    select 0, 0, 'more', null, null, greatest(count(*) - $most_properties, 0)
    from named
)
select measure, path, key, amount
from shown
order by place, value_place, key;
