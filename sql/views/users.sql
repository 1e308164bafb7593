create or replace view bi.users (
    user_id, first_seen, last_seen, days_active, sessions, events
) as
select
    e.user_id,
    min(e.timestamp),
    max(e.timestamp),
    count(distinct date_trunc('day', e.timestamp, 'UTC')),
    count(distinct e.session_id),
    count(*)
from events as e
where e.user_id is not null
group by e.user_id;

comment on view bi.users is 'Users that events which are kept name, one a row, computed from those: what a user did before the first day kept is not in it. A condition on user_id reads the user''s events only, any other one all that are kept.';
comment on column bi.users.user_id is 'The user.';
comment on column bi.users.first_seen is 'Timestamp of the user''s first event kept.';
comment on column bi.users.last_seen is 'Timestamp of the user''s last event.';
comment on column bi.users.days_active is 'Number of UTC days with an event of the user.';
comment on column bi.users.sessions is 'Number of distinct sessions with an event of the user.';
comment on column bi.users.events is 'Number of the user''s events.';
