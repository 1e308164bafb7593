-- Seals one hour of a shard, unless it is sealed. The caller has verified the hour. verified_*: the witnesses of that
-- verification.
-- Rows: one, false when the hour still takes events, or history, has changed since it was verified, is not folded by every
-- version, or the version has ended.
create or replace function seal_hour(
    in_shard integer,
    in_version integer,
    in_hour timestamptz,
    verified_events bigint,
    verified_high numeric,
    verified_low numeric,
    code_version text,
    clock timestamptz
)
returns boolean
language plpgsql volatile
as $$
declare
    witnessed record;
begin
    -- The checkpoints' locks keep the rows unchanged, and let no other transaction extend the chain.
    -- A version that is being filled is left out, because its rebuild holds its checkpoint all the time.
    perform from checkpoints as c
    where c.shard = in_shard and c.stage <> 'filling'
    order by c.projection, c.version
    for update;
    if exists (select from hour_seals as s where s.shard = in_shard and s.hour = in_hour) then
        return true;
    end if;
    select a.events, a.position_sum, a.digest_high, a.digest_low into witnessed from appended(in_shard, in_hour) as a;
    if (witnessed.events, witnessed.digest_high, witnessed.digest_low)
        is distinct from (verified_events, verified_high, verified_low)
        or not exists (select from log_heads as h where h.shard = in_shard and h.horizon > in_hour)
        or exists (select from opened_days as o where o.day = (in_hour at time zone 'UTC')::date)
        -- Without a checkpoint the version has ended, and its rows are being deleted.
        or not exists (
            select from checkpoints as c
            where c.shard = in_shard and c.projection = 'hourly' and c.version = in_version
        )
        or exists (
            select from receipts as r
            join checkpoints as c on c.shard = r.shard and c.stage <> 'filling' and c.position < r.last_position
            where r.shard = in_shard and r.hour = in_hour
        )
    then
        return false;
    end if;

    perform write_seal(in_shard, in_version, in_hour, code_version, clock);
    return true;
end
$$;
