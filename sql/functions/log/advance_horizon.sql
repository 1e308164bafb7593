-- Moves a shard's horizon forward to where the retention puts it, by a day at most unless `at_once` (R13). A log that
-- never had an event, or whose horizon was never set, has nothing to lose: its horizon is set at once, forward or back.
-- moment: the time that advance_clock returned. Rows: one, the horizon after that.
create or replace function advance_horizon(
    in_shard integer, retention_days integer, moment timestamptz, at_once boolean
)
returns timestamptz
language plpgsql volatile
as $$
declare
    due constant timestamptz := date_trunc('day', moment, 'UTC') - make_interval(hours => 24 * retention_days);
    is_new constant boolean := not exists (select from receipts);
begin
    update log_heads as h
    set horizon = case
        when is_new or at_once or h.horizon = '-infinity' then due else least(due, h.horizon + interval '24 hours')
    end
    where h.shard = in_shard and (h.horizon < due or is_new and h.horizon <> due);
    if found then
        update retention_in_force set horizon_days = retention_days where horizon_days is distinct from retention_days;
    end if;
    return (select h.horizon from log_heads as h where h.shard = in_shard);
end
$$;
