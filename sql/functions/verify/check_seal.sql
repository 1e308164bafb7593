-- Compares an hour whose events are gone with its seal. Rows: three `sealed` rows first (events, digest_high and
-- digest_low of the seal), then one per difference:
--   broken: in the seal, its link to the seal before, the ledger, the counts and member rows, or the day's total
--   drifted: in the edges or the document, which are derived from the rows and which a rebuild mends
create or replace function check_seal(in_shard integer, in_version integer, in_hour timestamptz)
returns table (finding text, field text, bucket timestamptz, key text, stored numeric, recounted numeric)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    seal hour_seals;
    in_day constant date := (in_hour at time zone 'UTC')::date;
begin
    select s.* into seal from hour_seals as s where s.shard = in_shard and s.hour = in_hour;
    return query
    values
        ('sealed', 'events', in_hour, null::text, coalesce(seal.events, 0)::numeric, coalesce(seal.events, 0)::numeric),
        ('sealed', 'digest_high', in_hour, null, coalesce(seal.digest_high, 0), coalesce(seal.digest_high, 0)),
        ('sealed', 'digest_low', in_hour, null, coalesce(seal.digest_low, 0), coalesce(seal.digest_low, 0));

    return query
    select 'broken', 'seal_missing', in_hour, null::text, 0::numeric, 1::numeric
    where seal.hash is null
    union all
    select 'broken', b.field, in_hour, null, b.stored, b.recounted
    from seal_breaks(in_shard, in_hour) as b
    union all
    select 'broken', 'retired_events', in_hour, in_day::text, coalesce(d.events, 0), sealed.events
    from (select in_day as day, sealed_events(in_shard, in_day) as events) as sealed
    left join retired_days as d on d.shard = in_shard and d.day = sealed.day
    where d.events is distinct from sealed.events;
    if seal.hash is null then
        return;
    end if;

    return query
    select 'broken', w.field, in_hour, null::text, w.sealed, w.now
    from hourly_rows_digest(in_shard, in_version, in_hour) as r
    -- Once retention has deleted the hour's rollups, the digest of its rows must be 0. Only first rows of users may be
    -- left, and the digest leaves them out.
    cross join (
        select case when in_hour >= t.rollups_since then 1 else 0 end as kept from shard_totals as t where t.shard = in_shard
    ) as rollups
    cross join lateral (
        values
            ('rows_high', seal.rows_high * rollups.kept, r.rows_high),
            ('rows_low', seal.rows_low * rollups.kept, r.rows_low)
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
