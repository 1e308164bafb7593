-- Counts the owners who came back, by the period of their first event that passes the filters (see event_matches).
-- An owner is a user or, when `by` is visitor, also a session without a user. The nth period is [bounds[n], bounds[n + 1]).
-- Events before all periods count too: an owner who was active then belongs to no cohort. An owner comes back with any
-- event, or with one of `return_event_type`. Every owner is active in the first period of the cohort.
-- It reads all shards at once, because a user can be in several. Rows, none where both numbers are 0:
--   owners of `cohort` who were active in `period`, and those of them who were not active after it
create or replace function cohorts_from_events(
    bounds timestamptz[],
    by text,
    return_event_type text,
    filters jsonb
)
returns table (cohort integer, period integer, owners bigint, last_owners bigint)
language plpgsql stable
-- The planner must know the values to leave out days, drop absent filters and choose an index.
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
    -- A window, because the planner does not know how many rows there are, and would join each with each.
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
