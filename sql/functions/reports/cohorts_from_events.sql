-- How many owners came back, by the period of their first event that passes the filters; see event_matches.
-- An owner is a user or, when `by` is visitor, also a session that never names a user. The nth period is [bounds[n],
-- bounds[n + 1]). An owner with a passing event before the first period belongs to no cohort. An owner comes back with
-- any event, or with one of type `return_event_type`. In the period of its cohort every owner counts as present.
-- Reads all shards at once, because a user may be in several. Rows: one per cohort and period with any owner:
--   owners: owners of `cohort` present in `period`; last_owners: those among them that were not present afterwards
create or replace function cohorts_from_events(
    bounds timestamptz[],
    by text,
    return_event_type text,
    filters jsonb
)
returns table (cohort integer, period integer, owners bigint, last_owners bigint)
language plpgsql stable
-- Only when the planner knows the values can it leave out days and unset filters, and choose the right index.
set plan_cache_mode = 'force_custom_plan'
as $$
#variable_conflict use_column
declare
    until constant timestamptz := bounds[cardinality(bounds)];
begin
    return query
    with active as (
        select
            e.user_id,
            case when by = 'visitor' then e.session_id end as session_id,
            width_bucket(e.timestamp, bounds) as period,
            bool_or(event_matches(e, filters)) as enters,
            bool_or(return_event_type is null or e.event_type = return_event_type) as returns
        from events as e
        where e.timestamp < until and (by = 'visitor' or e.user_id is not null)
        group by 1, 2, 3
    ),
    -- A window function, because for a join the planner would misjudge the row counts and compare every row with every
    -- row.
    known as (
        select a.*, bool_or(a.user_id is not null) over (partition by a.session_id) as is_identified from active as a
    ),
    owned as (
        select
            k.user_id,
            case when k.user_id is null then k.session_id end as session_id,
            k.period,
            bool_or(k.enters) as enters,
            bool_or(k.returns) as returns
        from known as k
        where k.user_id is not null or not k.is_identified
        group by 1, 2, 3
    ),
    entered as (
        select
            o.user_id, o.session_id, o.period, o.returns,
            min(o.period) filter (where o.enters) over (partition by o.user_id, o.session_id) as cohort
        from owned as o
    ),
    returned as (
        select
            e.cohort, e.period,
            lead(e.period) over (partition by e.user_id, e.session_id order by e.period) is null as is_last
        from entered as e
        where e.cohort >= 1 and (e.period = e.cohort or (e.period > e.cohort and e.returns))
    )
    select r.cohort, r.period, count(*), count(*) filter (where r.is_last)
    from returned as r
    group by r.cohort, r.period;
end
$$;
