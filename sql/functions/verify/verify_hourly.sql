-- Verifies one hour of a shard in one snapshot. An earlier statement of the caller holds the day (hold_day, R6), and has
-- read the hour's file when the day is kept (R10).
-- Rows, in this order by `finding`; for an hour whose events are gone, the rows of check_seal instead:
--   folded: what was appended (stored) and how much of that is folded (recounted), and so verified: events and both
--     digests; `sealed` instead when the day is kept
--   proof: what was appended (stored) and what the log or the file holds (recounted): events, position_sum and both
--     digests. When any of these differ, the log is damaged and the rollup cannot be judged
--   broken: one per difference of the hour's seal, if it has one already, and of its day's amendments. The rows of a kept
--     hour, too, are compared with the seal, once they are what its file says
--   drifted: one per value of the rollup where stored and recounted differ
create or replace function verify_hourly(in_shard integer, in_version integer, in_hour timestamptz)
returns table (
    finding text,
    field text,
    bucket timestamptz,
    key text,
    stored numeric,
    recounted numeric
)
language plpgsql stable
set plan_cache_mode = 'auto'
as $$
#variable_conflict use_column
declare
    witnessed record;
    folded record;
    found_now record;
    sealed constant boolean := exists (select from hour_seals as s where s.shard = in_shard and s.hour = in_hour);
    kept constant boolean := is_kept((in_hour at time zone 'UTC')::date);
    amended constant boolean := exists (
        select from amendments as a where a.shard = in_shard and a.day = (in_hour at time zone 'UTC')::date
    );
begin
    -- Planning takes as long as verifying two thousand events.
    perform plan_once();
    if not exists (
        select from checkpoints as c
        where c.shard = in_shard and c.projection = 'hourly' and c.version = in_version
    ) then
        -- The version's rows are being deleted, which is no drift.
        raise exception 'version % of hourly has ended', in_version using errcode = 'no_data_found';
    end if;
    if not kept and (
        exists (
            select from retired_days as d where d.shard = in_shard and d.day = (in_hour at time zone 'UTC')::date
        )
        or sealed and not exists (select from log_days() as p where p.day = (in_hour at time zone 'UTC')::date)
    ) then
        return query
        select c.finding, c.field, c.bucket, c.key, c.stored, c.recounted
        from check_seal(in_shard, in_version, in_hour) as c;
        return;
    end if;

    select a.events, a.position_sum, a.digest_high, a.digest_low into witnessed
    from appended(in_shard, in_hour) as a;
    select f.events, f.position_sum, f.digest_high, f.digest_low into found_now
    from found_now(in_shard, in_hour) as f;
    select f.events, f.digest_high, f.digest_low into folded from folded_in(in_shard, in_version, in_hour) as f;
    if kept and exists (
        select from seal_of(in_shard, in_hour) as s
        where (s.events, s.position_sum, s.digest_high, s.digest_low) = found_now
    ) then
        -- The file is as it was sealed: where the ledger differs, it is the ledger that was changed, not the file.
        witnessed := found_now;
    end if;

    return query
    select f.finding, w.*
    from (select case when kept then 'sealed' else 'folded' end as finding) as f
    cross join lateral (
        values
            ('events', in_hour, null::text, witnessed.events::numeric, folded.events::numeric),
            ('digest_high', in_hour, null, witnessed.digest_high, folded.digest_high),
            ('digest_low', in_hour, null, witnessed.digest_low, folded.digest_low)
    ) as w (field, bucket, key, stored, recounted)
    union all
    values
        ('proof', 'events', in_hour, null::text, witnessed.events::numeric, found_now.events::numeric),
        ('proof', 'position_sum', in_hour, null, witnessed.position_sum, found_now.position_sum),
        ('proof', 'digest_high', in_hour, null, witnessed.digest_high, found_now.digest_high),
        ('proof', 'digest_low', in_hour, null, witnessed.digest_low, found_now.digest_low);

    return query
    select 'broken', b.field, in_hour, null::text, b.stored, b.recounted
    from seal_breaks(in_shard, in_hour) as b
    where (sealed or amended) and not kept
    union all
    select 'broken', b.field, in_hour, b.key, b.stored, b.recounted
    from retired_breaks(in_shard, in_hour) as b
    where kept
    union all
    select 'broken', 'seal_missing', in_hour, null, 0, 1
    where kept and not sealed and witnessed.events > 0;
    if witnessed <> found_now then
        return;
    end if;

    return query
    select 'drifted', d.field, d.bucket, d.key, d.stored, d.recounted
    from hourly_drift(in_shard, in_version, in_hour) as d;
    if not found then
        return query
        select 'drifted', d.field, d.bucket, d.key, d.stored, d.recounted
        from hourly_document_drift(in_shard, in_version, in_hour) as d
        union all
        select 'broken', b.field, in_hour, null, b.stored, b.recounted
        from sealed_rows_breaks(in_shard, in_version, in_hour) as b
        where kept;
    end if;
end
$$;
