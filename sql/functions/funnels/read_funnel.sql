-- How many sessions, or users, reached each step of a funnel. Each session or user (actor) counts once, with its deepest
-- run; among equally deep runs the earliest counts. For the filters see event_matches, for the steps is_funnel_step.
-- A run takes events in the order of timestamp, position and shard, within window_minutes of its first event.
-- Rows: one per step for all runs (`whole`). With `divided_by`, a dimension of event_key, also one per step for each
-- key that runs begin with: the most_keys most frequent keys, (other) for further ones, and null for runs without a
-- key:
--   reached: runs that reached the step
--   median, p90: of the seconds since the step before
--   dropped_ids: in the rows of the whole, up to most_ids actors that got to this step and no further, the latest run
--     first
create or replace function read_funnel(
    since timestamptz,
    until timestamptz,
    by_user boolean,
    strict boolean,
    window_minutes integer,
    step_event_types text[],
    step_tool_names text[],
    step_actions text[],
    step_fields jsonpath[],
    step_properties jsonpath[],
    step_values jsonb,
    divided_by text,
    path text[],
    most_keys integer,
    most_ids integer,
    filters jsonb
)
returns table (
    whole boolean, key text, step integer, reached bigint, median double precision, p90 double precision, dropped_ids text[]
)
language plpgsql stable
-- Only when the planner knows the values can it leave out days, and filters that are not set.
set plan_cache_mode = 'force_custom_plan'
set work_mem = '128MB'
-- A row from a parallel worker costs little, because its columns are few and short.
set parallel_tuple_cost = 0.01
as $$
#variable_conflict use_column
declare
    steps constant integer := cardinality(step_event_types);
    lasting constant interval := make_interval(mins => window_minutes);
begin
    return query
    with acting as (
        select
            case when by_user then e.user_id else e.session_id end as actor,
            e.timestamp,
            e.position,
            e.shard,
            funnel_steps(
                e, step_event_types, step_tool_names, step_actions, step_fields, step_properties, step_values
            ) as steps_of_it,
            event_key(e, divided_by, path) as part
        from events as e
        where e.timestamp >= since and e.timestamp < until
            and (not by_user or e.user_id is not null)
            and event_matches(e, filters)
            -- A strict run allows no other event between two steps, so it needs every event.
            and (
                strict
                or is_any_funnel_step(
                    e, step_event_types, step_tool_names, step_actions, step_fields, step_properties, step_values
                )
            )
    ),
    -- Each actor's events in order: their times, the steps they may be, and the keys of those that may be the first
    -- step.
    sequences as (
        select
            a.actor,
            array_agg(a.timestamp) as moments,
            array_agg(a.steps_of_it) as may_be,
            bool_or(a.steps_of_it & (a.steps_of_it - 1) <> 0) as several,
            array_agg(a.part) filter (where divided_by is not null and a.steps_of_it & 1 <> 0) as parts
        from (
            select *
            from acting
            -- The last two columns do not matter for the order. Sorting by them makes PostgreSQL compute them before
            -- the sort, so that the sort does not carry whole events.
            order by actor, timestamp, position, shard, steps_of_it, part
        ) as a
        group by a.actor
        having bool_or(a.steps_of_it & 1 <> 0)
    ),
    -- The places that each step may have in the sequence; `offset 0` makes PostgreSQL compute them once.
    placed as (
        select
            s.actor, s.moments, s.parts,
            funnel_places(s.may_be, s.several, 1) as steps_1,
            case when steps >= 2 then funnel_places(s.may_be, s.several, 2) end as steps_2,
            case when steps >= 3 then funnel_places(s.may_be, s.several, 3) end as steps_3,
            case when steps >= 4 then funnel_places(s.may_be, s.several, 4) end as steps_4,
            case when steps >= 5 then funnel_places(s.may_be, s.several, 5) end as steps_5,
            case when steps >= 6 then funnel_places(s.may_be, s.several, 6) end as steps_6,
            case when steps >= 7 then funnel_places(s.may_be, s.several, 7) end as steps_7,
            case when steps >= 8 then funnel_places(s.may_be, s.several, 8) end as steps_8,
            case when steps >= 9 then funnel_places(s.may_be, s.several, 9) end as steps_9,
            case when steps >= 10 then funnel_places(s.may_be, s.several, 10) end as steps_10
        from sequences as s
        offset 0
    ),
    -- The run from the first possible event is the deepest, unless the window ends it, or in strict order another
    -- event does.
    begun as (
        select p.*, p.moments[p.place_1] + lasting as deadline
        from (
            select
                p.*,
                unnest(case when p.only_one then p.steps_1[1:1] else p.steps_1 end) as place_1,
                unnest(case when p.only_one then p.parts[1:1] else p.parts end) as part
            from (
                select
                    p.*,
                    not strict and p.moments[cardinality(p.moments)] <= p.moments[p.steps_1[1]] + lasting as only_one
                from placed as p
            ) as p
        ) as p
    ),
    -- Each step takes the earliest place after the step before. `offset 0` in each lateral keeps PostgreSQL from
    -- computing the earlier ones again for every later one.
    timed as (
        select
            b.actor, b.part, b.place_1, b.moments[b.place_1] as time_1,
            case when b.moments[c2.place] <= b.deadline then b.moments[c2.place] end as time_2,
            case when b.moments[c3.place] <= b.deadline then b.moments[c3.place] end as time_3,
            case when b.moments[c4.place] <= b.deadline then b.moments[c4.place] end as time_4,
            case when b.moments[c5.place] <= b.deadline then b.moments[c5.place] end as time_5,
            case when b.moments[c6.place] <= b.deadline then b.moments[c6.place] end as time_6,
            case when b.moments[c7.place] <= b.deadline then b.moments[c7.place] end as time_7,
            case when b.moments[c8.place] <= b.deadline then b.moments[c8.place] end as time_8,
            case when b.moments[c9.place] <= b.deadline then b.moments[c9.place] end as time_9,
            case when b.moments[c10.place] <= b.deadline then b.moments[c10.place] end as time_10
        from begun as b
        cross join lateral (select funnel_next(b.place_1, b.steps_2, strict) as place offset 0) as c2
        cross join lateral (select funnel_next(c2.place, b.steps_3, strict) as place offset 0) as c3
        cross join lateral (select funnel_next(c3.place, b.steps_4, strict) as place offset 0) as c4
        cross join lateral (select funnel_next(c4.place, b.steps_5, strict) as place offset 0) as c5
        cross join lateral (select funnel_next(c5.place, b.steps_6, strict) as place offset 0) as c6
        cross join lateral (select funnel_next(c6.place, b.steps_7, strict) as place offset 0) as c7
        cross join lateral (select funnel_next(c7.place, b.steps_8, strict) as place offset 0) as c8
        cross join lateral (select funnel_next(c8.place, b.steps_9, strict) as place offset 0) as c9
        cross join lateral (select funnel_next(c9.place, b.steps_10, strict) as place offset 0) as c10
    ),
    runs as materialized (
        select distinct on (t.actor)
            t.*, num_nonnulls(t.time_1, t.time_2, t.time_3, t.time_4, t.time_5, t.time_6, t.time_7, t.time_8, t.time_9, t.time_10) as depth
        from timed as t
        order by t.actor, depth desc, t.place_1
    ),
    named as (
        select r.part
        from runs as r
        where r.part is not null and r.part <> '(other)'
        group by r.part
        order by count(*) desc, r.part collate "C"
        limit most_keys
    ),
    counted as (
        select
            p.whole,
            p.key,
            array[count(p.time_1), count(p.time_2), count(p.time_3), count(p.time_4), count(p.time_5), count(p.time_6), count(p.time_7), count(p.time_8), count(p.time_9), count(p.time_10)] as reached,
            percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', p.time_2 - p.time_1)) as of_2,
            percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', p.time_3 - p.time_2)) as of_3,
            percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', p.time_4 - p.time_3)) as of_4,
            percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', p.time_5 - p.time_4)) as of_5,
            percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', p.time_6 - p.time_5)) as of_6,
            percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', p.time_7 - p.time_6)) as of_7,
            percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', p.time_8 - p.time_7)) as of_8,
            percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', p.time_9 - p.time_8)) as of_9,
            percentile_cont(array[0.5, 0.9]) within group (order by date_part('epoch', p.time_10 - p.time_9)) as of_10
        from (
            select true as whole, null as key, r.* from runs as r
            union all
            select false, named_key(r.part, array(select n.part from named as n)), r.*
            from runs as r
            where divided_by is not null
        ) as p
        group by p.whole, p.key
    )
    select
        c.whole, c.key, s.step::integer, s.reached, s.median, s.p90,
        case when c.whole then
            array(
                select r.actor
                from runs as r
                where r.depth = s.step and s.step < steps
                order by r.time_1 desc, r.actor
                limit most_ids
            )
        end
    from counted as c
    cross join lateral rows from (
        unnest(c.reached[1:steps]),
        unnest(array[null, c.of_2[1], c.of_3[1], c.of_4[1], c.of_5[1], c.of_6[1], c.of_7[1], c.of_8[1], c.of_9[1], c.of_10[1]]),
        unnest(array[null, c.of_2[2], c.of_3[2], c.of_4[2], c.of_5[2], c.of_6[2], c.of_7[2], c.of_8[2], c.of_9[2], c.of_10[2]])
    ) with ordinality as s (reached, median, p90, step)
    where s.step <= steps;
end
$$;
