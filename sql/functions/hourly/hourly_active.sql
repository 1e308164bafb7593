-- The members that an event makes active: the one definition of what distinct counts count (R4).
-- Rows: one per kind in which the event has a member.
create or replace function hourly_active(session_id text, user_id text)
returns table (kind hourly_member, member text)
language sql immutable parallel safe
as $$
    select active.kind, active.member
    from (
        values ('session'::hourly_member, $1), ('user', $2), ('identified', case when $2 is not null then $1 end)
    ) as active (kind, member)
    where active.member is not null
$$;
