-- The largest keys; see Top in service/archive/top_questions.py.
-- of_sessions: one row per key and session: key, null without one; session, null when sessions are not counted; events;
-- identified, whether one of them names a user
-- of_users: key, user_id, each once
-- Parameters: $most, how many keys to name; $rank, what makes a key large: events, sessions or visitors; $search, a text that
-- a key must have in any case, or null.
-- Rows: kind, key, events, sessions, visitors. Visitors are users, and sessions without a user.
--   kind key: a named key, the largest first
--   kind other: all keys that are not named; kind keyed: all keys; kind all: all events, those without a key included
with users as (
    select key, count(*) as users
    from of_users
    group by key
),
keys as materialized (
    select
        s.key,
        sum(s.events)::bigint as events,
        count(s.session) as sessions,
        count(s.session) - count(*) filter (s.identified) + coalesce(any_value(u.users), 0) as visitors
    from of_sessions as s
    left join users as u on u.key = s.key
    where s.key is not null
    group by s.key
),
named as materialized (
    select *, row_number() over (order by size desc, key) as place
    from (
        select *, case $rank when 'sessions' then sessions when 'visitors' then visitors else events end as size
        from keys
        where $search::varchar is null or contains(lower(key), lower($search::varchar))
        order by size desc, key
        limit $most
    )
),
-- Of each session and user, the sets that it is in, and those in which the session has a user.
in_sets as (
    select
        bool_or(s.key is not null) as keyed,
        bool_or(s.key is not null and n.key is null) as other,
        bool_or(s.identified) as all_identified,
        bool_or(s.identified and s.key is not null) as keyed_identified,
        bool_or(s.identified and s.key is not null and n.key is null) as other_identified
    from of_sessions as s
    left join named as n on n.key = s.key
    where s.session is not null
    group by s.session
),
users_in_sets as (
    select bool_or(u.key is not null) as keyed, bool_or(u.key is not null and n.key is null) as other
    from of_users as u
    left join named as n on n.key = u.key
    group by u.user_id
),
sessions_of as (
    select
        count(*) as all_sessions, count(*) filter (keyed) as keyed, count(*) filter (other) as other,
        count(*) filter (all_identified) as all_identified, count(*) filter (keyed_identified) as keyed_identified,
        count(*) filter (other_identified) as other_identified
    from in_sets
),
users_of as (
    select count(*) as all_users, count(*) filter (keyed) as keyed, count(*) filter (other) as other
    from users_in_sets
),
events_of as (
    select
        coalesce(sum(s.events), 0)::bigint as all_events,
        coalesce(sum(s.events) filter (s.key is not null), 0)::bigint as keyed,
        coalesce(sum(s.events) filter (s.key is not null and n.key is null), 0)::bigint as other
    from of_sessions as s
    left join named as n on n.key = s.key
),
shown as (
    select place, 'key' as kind, key, events, sessions, visitors
    from named
    union all
    select null, 'other', null, e.other, s.other, s.other - s.other_identified + u.other
    from events_of as e, sessions_of as s, users_of as u
    union all
    select null, 'keyed', null, e.keyed, s.keyed, s.keyed - s.keyed_identified + u.keyed
    from events_of as e, sessions_of as s, users_of as u
    union all
    select null, 'all', null, e.all_events, s.all_sessions, s.all_sessions - s.all_identified + u.all_users
    from events_of as e, sessions_of as s, users_of as u
)
select kind, key, events, sessions, visitors
from shown
order by place nulls last, kind;
