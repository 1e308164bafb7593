-- Whether an event may be deleted: the newest step of its shard is one of this very transaction, of the event's day, and the
-- step's erasure is about the event's user or session (R11).
create or replace function is_erasing(in_shard integer, moment timestamptz, in_user text, in_session text)
returns boolean
language sql stable
as $$
    select exists (
        select
        from (
            select s.erasure, s.day, s.xmin as made_by
            from erasure_steps as s
            where s.shard = $1
            order by s.sequence desc
            limit 1
        ) as step
        join erasing as t on t.erasure = step.erasure
        where step.made_by = pg_current_xact_id_if_assigned()::xid and step.day = ($2 at time zone 'UTC')::date
            and (t.kind = 'user' and t.id = $3 or t.kind = 'session' and t.id = $4)
    )
$$;
