-- Where rows of some shards name a person: in the log, and in the tables of days that have left it and that the archive does
-- not keep. The files of the archive are read apart.
-- Rows: one per shard, hour, session and user (is_detached: the day has left the log; since and until: the first and the last
-- timestamp).
create or replace function find_person(in_shards integer[], users text[], sessions text[])
returns table (
    shard integer, hour timestamptz, is_detached boolean, session_id text, user_id text, events bigint, since timestamptz,
    until timestamptz
)
language plpgsql stable
set plan_cache_mode = 'force_custom_plan'
as $$
#variable_conflict use_column
declare
    left_day date;
begin
    return query
    select
        e.shard, hour_of(e.timestamp), false, e.session_id, e.user_id, count(*), min(e.timestamp),
        max(e.timestamp)
    from events as e
    where e.shard = any (in_shards) and (e.user_id = any (users) or e.session_id = any (sessions))
    group by 1, 2, 4, 5;
    for left_day in
        select l.day
        from leaving_days as l
        where l.stage = 'detached' and not exists (select from archived_days as a where a.day = l.day)
        order by l.day
    loop
        return query execute format(
            'select e.shard, hour_of(e.timestamp), true, e.session_id, e.user_id, count(*), min(e.timestamp), max(e.timestamp)'
            ' from %I as e'
            ' where e.shard = any ($1) and (e.user_id = any ($2) or e.session_id = any ($3))'
            ' group by 1, 2, 4, 5',
            day_partition(left_day)
        )
        using in_shards, users, sessions;
    end loop;
end
$$;
