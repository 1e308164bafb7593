-- Verifies one hour of a shard in one snapshot. The caller holds the day (hold_day) by an earlier statement (R6).
-- Rows: `proof` rows first: what was appended (stored) against what the log holds (recounted), for events, position_sum,
-- digest_high and digest_low. When any differ the log is damaged and the rollup cannot be judged; else one `drifted` row
-- per part of the rollup whose stored value is not the recounted one.
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
as $$
#variable_conflict use_column
declare
    witnessed record;
    found_now record;
begin
    select a.events, a.position_sum, a.digest_high, a.digest_low into witnessed
    from appended(in_shard, in_hour) as a;
    select f.events, f.position_sum, f.digest_high, f.digest_low into found_now
    from found_in_log(in_shard, in_hour) as f;

    return query
    values
        ('proof', 'events', in_hour, null::text, witnessed.events::numeric, found_now.events::numeric),
        ('proof', 'position_sum', in_hour, null, witnessed.position_sum, found_now.position_sum),
        ('proof', 'digest_high', in_hour, null, witnessed.digest_high, found_now.digest_high),
        ('proof', 'digest_low', in_hour, null, witnessed.digest_low, found_now.digest_low);

    if witnessed = found_now then
        return query
        select 'drifted', d.field, d.bucket, d.key, d.stored, d.recounted
        from hourly_drift(in_shard, in_version, in_hour) as d;
    end if;
end
$$;
