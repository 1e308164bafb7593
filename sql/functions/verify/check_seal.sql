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
begin
    select s.* into seal from seal_of(in_shard, in_hour) as s;
    return query
    values
        ('sealed', 'events', in_hour, null::text, coalesce(seal.events, 0)::numeric, coalesce(seal.events, 0)::numeric),
        ('sealed', 'digest_high', in_hour, null, coalesce(seal.digest_high, 0), coalesce(seal.digest_high, 0)),
        ('sealed', 'digest_low', in_hour, null, coalesce(seal.digest_low, 0), coalesce(seal.digest_low, 0));

    return query
    select 'broken', 'seal_missing', in_hour, null::text, 0::numeric, 1::numeric
    where seal.hash is null
    union all
    select 'broken', b.field, in_hour, b.key, b.stored, b.recounted
    from retired_breaks(in_shard, in_hour) as b;
    if seal.hash is null then
        return;
    end if;

    return query
    select 'broken', b.field, in_hour, null::text, b.stored, b.recounted
    from sealed_rows_breaks(in_shard, in_version, in_hour) as b
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
