-- The count and the digest of the events that were appended to one hour of a shard, summed over both witnesses: the
-- ledger and the receipts.
-- Rows: one, zeros when nothing was appended.
create or replace function appended(in_shard integer, in_hour timestamptz)
returns table (events bigint, position_sum numeric, digest_high numeric, digest_low numeric)
language sql stable parallel safe
as $$
    select
        coalesce(sum(w.events), 0)::bigint,
        coalesce(sum(w.position_sum), 0),
        coalesce(sum(w.digest_high), 0),
        coalesce(sum(w.digest_low), 0)
    from (
        select l.events, l.position_sum, l.digest_high, l.digest_low
        from hour_ledger as l
        where l.shard = $1 and l.hour = $2
        union all
        select r.events, r.position_sum, r.digest_high, r.digest_low
        from receipts as r
        where r.shard = $1 and r.hour = $2
    ) as w
$$;
