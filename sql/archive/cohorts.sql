-- How many owners came back, by the period of their first event that passes the checks; see Cohorts in
-- service/archive/questions.py.
-- events: one row per event before the last period's end, with
--   period: from 1, and 0 before the first one
--   user_id: null without one
--   session: null when only users are owners
--   enters: whether the event passes the checks
--   returns: whether the event counts as coming back
-- Rows: one per cohort and period with any owner: cohort, period, owners, last_owners
--   owners: owners of `cohort` present in `period`; last_owners: those among them that were not present afterwards
with active as materialized (
    select user_id, session, period, bool_or(enters) as enters, bool_or(returns) as returns
    from events
    where user_id is not null or session is not null
    group by all
),
identified as (
    select distinct session
    from active
    where user_id is not null and session is not null
),
owned as (
    select user_id, null::uuid as session, period, bool_or(enters) as enters, bool_or(returns) as returns
    from active
    where user_id is not null
    group by user_id, period
    union all
    select null, session, period, enters, returns
    from active
    where user_id is null and session is not null and session not in (select session from identified)
),
cohorts as (
    select user_id, session, min(period) filter (enters) as cohort, max(period) filter (returns) as last_return
    from owned
    group by user_id, session
)
select
    c.cohort, o.period,
    count(*) as owners,
    count_if(o.period = greatest(c.cohort, c.last_return)) as last_owners
from owned as o
join cohorts as c on c.user_id is not distinct from o.user_id and c.session is not distinct from o.session
where c.cohort >= 1 and (o.period = c.cohort or (o.period > c.cohort and o.returns))
group by all;
