-- Whether an hour whose events are gone is as it was sealed. Rows: three `sealed` rows first (events, digest_high and
-- digest_low by the seal), then one per difference:
--   broken: the seal, its link to the one before, the ledger, the counts and session rows, or the day's total
--   drifted: what is derived from the rows, and a rebuild mends: edges and the document
create or replace function check_seal(in_shard integer, in_version integer, in_hour timestamptz)
returns table (finding text, field text, bucket timestamptz, key text, stored numeric, recounted numeric)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    seal hour_seals;
    before bytea;
begin
    select s.* into seal from hour_seals as s where s.shard = in_shard and s.hour = in_hour;
    return query
    values
        ('sealed', 'events', in_hour, null::text, coalesce(seal.events, 0)::numeric, coalesce(seal.events, 0)::numeric),
        ('sealed', 'digest_high', in_hour, null, coalesce(seal.digest_high, 0), coalesce(seal.digest_high, 0)),
        ('sealed', 'digest_low', in_hour, null, coalesce(seal.digest_low, 0), coalesce(seal.digest_low, 0));
    if seal.hash is null then
        return query values ('broken', 'seal_missing', in_hour, null::text, 0::numeric, 1::numeric);
        return;
    end if;
    select s.hash into before from hour_seals as s where s.shard = in_shard and s.sequence = seal.sequence - 1;

    return query
    select 'broken', 'seal', in_hour, null::text, seal.sequence::numeric, null::numeric
    where seal.hash <> seal_hash(seal)
    union all
    select 'broken', 'seal_before', in_hour, null, seal.sequence, seal.sequence - 1
    where seal.previous_hash
        is distinct from case when seal.sequence = 1 then decode(repeat('00', 32), 'hex') else before end
    union all
    select 'broken', 'retired_events', in_hour, day.day::text, day.retired, day.sealed
    from (
        select d.day, d.events as retired, sum(s.events) as sealed
        from retired_days as d
        join hour_seals as s on s.shard = d.shard and (s.hour at time zone 'UTC')::date = d.day
        where d.shard = in_shard and d.day = (in_hour at time zone 'UTC')::date
        group by d.day, d.events
    ) as day
    where day.retired <> day.sealed;

    if in_hour < (select t.rollups_since from shard_totals as t where t.shard = in_shard) then
        return;
    end if;
    return query
    select 'broken', w.field, in_hour, null::text, w.sealed, w.now
    from appended(in_shard, in_hour) as a
    cross join hourly_rows_digest(in_shard, in_version, in_hour) as r
    cross join lateral (
        values
            ('events', seal.events::numeric, a.events::numeric),
            ('position_sum', seal.position_sum, a.position_sum),
            ('digest_high', seal.digest_high, a.digest_high),
            ('digest_low', seal.digest_low, a.digest_low),
            ('rows_high', seal.rows_high, r.rows_high),
            ('rows_low', seal.rows_low, r.rows_low)
    ) as w (field, sealed, now)
    where w.sealed <> w.now
    union all
    select 'drifted', d.field, d.bucket, d.key, d.stored, d.recounted
    from hourly_edges_drift(in_shard, in_version, in_hour) as d;
    if not found then
        return query
        select 'drifted', d.field, d.bucket, d.key, d.stored, d.recounted
        from hourly_document_drift(in_shard, in_version, in_hour) as d;
    end if;
end
$$;
