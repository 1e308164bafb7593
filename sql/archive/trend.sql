-- Counts in buckets; see Trend in service/archive/questions.py.
-- counted: numbers of equal events, with
--   bucket, from 1; event_type, tool_name, risk_mode, action, demo_mode: their keys in the named dimensions, null in others
--   part: their key in the dimension that divides, null without one
--   events; tool_uses: those among them with a tool, 0 when they are not counted
-- members: bucket, 0 for the whole; part, null for all events; measure: sessions, users, identified; amount: distinct ones
-- Parameters: $most, how many keys to name in each bucket and dimension, those with the most events, null for all; $whole,
-- whether to count all buckets as one, bucket 0, and to name keys only there; $parts, whether to count the events of each
-- part.
-- Rows: bucket, measure, key, amount
--   measure event_type, tool_name, risk_mode, action, demo_mode: events with the key; key null for those of all keys that
--   are not named
--   measure part: the same of the dimension that divides, with $parts
--   measure sessions, users, identified: distinct ones, of events of the part `key`, or of all when key is null
--   measure tool_uses: events of the part `key` that have a tool
--   measure event_types: with $most, the number of event types, named or not
with of_buckets as (
    select bucket, 'event_type' as measure, event_type as key, sum(events)::bigint as amount
    from counted
    group by bucket, event_type
    union all
    select bucket, 'tool_name', tool_name, sum(tool_uses)::bigint
    from counted
    group by bucket, tool_name
    having sum(tool_uses) > 0
    union all
    select bucket, 'risk_mode', risk_mode, sum(events)::bigint
    from counted
    where risk_mode is not null
    group by bucket, risk_mode
    union all
    select bucket, 'action', action, sum(events)::bigint
    from counted
    where action is not null
    group by bucket, action
    union all
    select bucket, 'demo_mode', demo_mode, sum(events)::bigint
    from counted
    where demo_mode is not null
    group by bucket, demo_mode
    union all
    select bucket, 'part', part, sum(events)::bigint
    from counted
    where $parts and part is not null
    group by bucket, part
),
keyed as materialized (
    select bucket, measure, key, amount
    from of_buckets
    union all
    select 0, measure, key, sum(amount)::bigint
    from of_buckets
    where $whole
    group by measure, key
),
ranked as (
    select *, row_number() over (partition by bucket, measure order by amount desc, key) as place
    from keyed
),
named as (
    select
        bucket, measure, amount,
        case when ($most::bigint is null or place <= $most) and (bucket = 0 or not $whole) then key end as key
    from ranked
)
select bucket, measure, key, sum(amount)::bigint as amount
from named
group by all
union all
select bucket, 'event_types', null, count(key)
from keyed
where measure = 'event_type' and $most is not null
group by bucket
union all
select unnest(case when $whole then [0, bucket] else [bucket] end) as place, 'tool_uses', part, sum(tool_uses)::bigint
from counted
where part is not null
group by place, part
having sum(tool_uses) > 0
union all
select bucket, measure, part, amount
from members;
