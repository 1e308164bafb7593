-- The steps of a funnel; see Funnel in service/archive/questions.py.
-- runs: the runs that count; see service/archive/runs.py
-- names: actor, id: the text of each actor; it may repeat actors
-- Parameters: $steps, $divided, $most_keys, $most_ids.
-- Rows: one per step for all runs (`whole`) and, when divided, one per step for each key: the $most_keys most frequent
-- keys, (other) for further ones, and null for runs without a key. None without runs.
--   reached: runs that reached the step
--   median, p90: of the seconds since the step before
--   dropped_ids: in the rows of the whole, up to $most_ids actors that got to this step and no further, the latest run
--     first
with named as (
    select key
    from runs
    where key is not null and key <> '(other)'
    group by key
    order by count(*) desc, key
    limit $most_keys
),
parts as (
    select true as whole, null::varchar as key, passed
    from runs
    union all
    select false, case when key is null or key in (select key from named) then key else '(other)' end, passed
    from runs
    where $divided
),
depths as (
    select whole, key, len(passed) + 1 as depth, count(*) as runs
    from parts
    group by all
),
reached as (
    select d.whole, d.key, s.step, coalesce(sum(d.runs) filter (d.depth >= s.step), 0)::bigint as reached
    from depths as d
    cross join (select unnest(range(1, $steps + 1)) as step) as s
    group by all
),
taken as (
    select whole, key, unnest(passed) as passed, generate_subscripts(passed, 1) + 1 as step
    from parts
),
-- Two neighbours in the order of times, for each percentile, in seconds. As in PostgreSQL, days and the rest become
-- seconds one by one.
neighbours as (
    select
        whole, key, step, len(passed) as runs,
        list_transform(
            [0.5::double, 0.9::double],
            lambda part: list_transform(
                [floor(part * (len(passed) - 1)), ceil(part * (len(passed) - 1))],
                lambda place: passed[place::bigint + 1] % 86400000000 / 1000000.0::double
                    + 86400.0::double * (passed[place::bigint + 1] // 86400000000)
            )
        ) as seconds
    from (
        select whole, key, step, list_sort(list(passed)) as passed
        from taken
        group by all
    )
),
-- The least first moment whose actor may be named.
bounds as (
    select len(passed) + 1 as step, list_min(max(first, greatest($most_ids, 1))) as first
    from runs
    where len(passed) + 1 < $steps and $most_ids > 0
    group by step
),
dropped as (
    select distinct b.step, r.first, n.id
    from runs as r
    join bounds as b on b.step = len(r.passed) + 1 and r.first >= b.first
    join names as n on n.actor = r.actor
),
latest as (
    select step, list(id order by first desc, id)[:$most_ids] as dropped_ids
    from dropped
    group by step
)
select
    r.whole, r.key, r.step::integer as step, r.reached,
    n.seconds[1][1] + (0.5::double * (n.runs - 1) - floor(0.5::double * (n.runs - 1)))
        * (n.seconds[1][2] - n.seconds[1][1]) as median,
    n.seconds[2][1] + (0.9::double * (n.runs - 1) - floor(0.9::double * (n.runs - 1)))
        * (n.seconds[2][2] - n.seconds[2][1]) as p90,
    case when r.whole then coalesce(l.dropped_ids, []) end as dropped_ids
from reached as r
left join neighbours as n on n.whole = r.whole and n.key is not distinct from r.key and n.step = r.step
left join latest as l on l.step = r.step and r.whole;
