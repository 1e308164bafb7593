-- How many visits reach a goal; see Conversions in service/archive/conversion_questions.py.
-- sessions: session, user_id, key, of events that pass, each once; key is null without one
-- reached: the sessions with an event of the goal: session; events of the goal; value, the sum of its numbers, null without any
-- Parameters: $divided, whether keys have rows of their own; $most, how many of them to name.
-- Rows: one for all, and when divided one per key, those with the most sessions, and one for (other): whole, key (null for all)
--   sessions, reached_sessions; visitors, reached_visitors: users, and sessions without a user; a user reaches the goal with any
--   session of theirs
--   conversions: events of the goal in these sessions; value: the sum of their numbers, a decimal as text, null without any
with named as materialized (
    select key
    from sessions
    where $divided and key is not null and key <> '(other)'
    group by key
    order by count(distinct session) desc, key
    limit $most
),
parts as (
    select distinct true as whole, null::varchar as key, session, user_id
    from sessions
    union all
    select distinct
        false, case when key in (select key from named) then key else '(other)' end, session, user_id
    from sessions
    where $divided and key is not null
),
of_sessions as (
    select
        p.whole, p.key, p.session,
        bool_or(p.user_id is not null) as identified,
        any_value(r.events) as events,
        any_value(r.value) as value
    from parts as p
    left join reached as r on r.session = p.session
    group by p.whole, p.key, p.session
),
of_users as (
    select p.whole, p.key, p.user_id, bool_or(r.session is not null) as has_reached
    from parts as p
    left join reached as r on r.session = p.session
    where p.user_id is not null
    group by p.whole, p.key, p.user_id
),
users as (
    select whole, key, count(*) as users, count(*) filter (has_reached) as reached_users
    from of_users
    group by whole, key
),
counted as (
    select
        whole, key,
        count(*) as sessions,
        count(events) as reached_sessions,
        count(*) filter (not identified) as strangers,
        count(events) filter (not identified) as reached_strangers,
        coalesce(sum(events), 0)::bigint as conversions,
        sum(value)::varchar as value
    from of_sessions
    group by whole, key
)
select
    c.whole, c.key, c.sessions, c.reached_sessions,
    c.strangers + coalesce(u.users, 0) as visitors,
    c.reached_strangers + coalesce(u.reached_users, 0) as reached_visitors,
    c.conversions, c.value
from counted as c
left join users as u on u.whole = c.whole and u.key is not distinct from c.key;
