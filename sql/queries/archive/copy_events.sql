-- The events of gaps between archived hours, in the columns that a file of the archive is made from. A column that is not
-- wanted is null.
-- $1 to $3 one element per gap: shard, from, to (exclusive)
-- $4 the first of these starts, $5 the last of these ends: with them as constants, planning leaves out all other days
-- $6 the columns wanted
-- Null for any value, else the values that events may have: $7 event_type, $8 session_id, $9 user_id,
-- $10 tool_name, $11 action
-- $12 whether each gap is all of $4 to $5: constants, from which the planner knows how many events that is
-- $13 null for any properties, else a predicate of jsonpath that must hold, with $14 as its variables
-- $15 null for all properties, else the only name whose value is wanted: `properties` then has no other one
-- Rows: one per event.
select
    e.shard,
    case when 'position' = any ($6::text[]) then e.position end as position,
    case when 'event_id' = any ($6) then e.event_id end as event_id,
    case when 'session_id' = any ($6) then e.session_id end as session_id,
    case when 'user_id' = any ($6) then e.user_id end as user_id,
    case when 'event_type' = any ($6) then e.event_type end as event_type,
    case when 'tool_name' = any ($6) then e.tool_name end as tool_name,
    case when 'action' = any ($6) then e.action end as action,
    case
        when 'properties' <> all ($6) then null
        when $15::text is null then e.properties::text
        else '{' || to_json($15::text)::text || ': ' || (e.properties -> $15::text)::text || '}'
    end as properties,
    case when 'demo_mode' = any ($6) then e.demo_mode end as demo_mode,
    e.timestamp,
    case when 'received_at' = any ($6) then e.received_at end as received_at,
    case when 'risk_mode' = any ($6) then hourly_risk_mode(e.event_type, e.properties) end as risk_mode
from unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) as g (shard, since, until)
-- `offset 0`: one look-up per gap. A join could read every day instead.
cross join lateral (
    select e.*
    from events as e
    where e.shard = g.shard and ($12::boolean or (e.timestamp >= g.since and e.timestamp < g.until))
        and e.timestamp >= $4 and e.timestamp < $5
        and ($7::text[] is null or e.event_type = any ($7::text[]))
        and ($8::text[] is null or e.session_id = any ($8::text[]))
        and ($9::text[] is null or e.user_id = any ($9::text[]))
        and ($10::text[] is null or e.tool_name = any ($10::text[]))
        and ($11::text[] is null or e.action = any ($11::text[]))
        and ($13::jsonpath is null or jsonb_path_match(e.properties, $13::jsonpath, $14::jsonb, true))
    offset 0
) as e
