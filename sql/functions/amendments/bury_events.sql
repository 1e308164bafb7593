-- Lays down a tombstone for each event of an erasure in a day that is in the log, so that no outbox brings it back. Appends
-- wait for this, and see the tombstones then. The events themselves stay until erase_day.
-- Rows: one, the shard's head: events beyond it have no tombstone.
create or replace function bury_events(in_erasure bigint, in_shard integer, in_day date)
returns bigint
language plpgsql volatile
-- So that the planner leaves out all other days.
set plan_cache_mode = 'force_custom_plan'
as $$
declare
    since constant timestamptz := in_day::timestamp at time zone 'UTC';
    until constant timestamptz := (in_day + 1)::timestamp at time zone 'UTC';
    users constant text[] := array(select t.id from erasing as t where t.erasure = in_erasure and t.kind = 'user');
    sessions constant text[] := array(select t.id from erasing as t where t.erasure = in_erasure and t.kind = 'session');
begin
    perform from log_heads as h where h.shard = in_shard for update;
    insert into erased_days (day) values (in_day) on conflict do nothing;
    insert into erased_ids (shard, day, id)
    select in_shard, in_day, tombstone(d.salt, e.timestamp, e.event_id)
    from events as e
    join erased_days as d on d.day = in_day
    where e.shard = in_shard and e.timestamp >= since and e.timestamp < until
        and (e.user_id = any (users) or e.session_id = any (sessions))
    on conflict do nothing;
    return log_head(in_shard);
end
$$;
