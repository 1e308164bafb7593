-- What was appended to each hour of a shard in [since, until), by both witnesses: the ledger and the receipts.
-- Rows: one per hour that anything was appended to, unless all of it was erased.
create or replace function appended_hours(in_shard integer, since timestamptz, until timestamptz)
returns table (hour timestamptz, events bigint, digest_high numeric, digest_low numeric)
language sql stable parallel safe
as $$
    select w.hour, sum(w.events)::bigint, sum(w.digest_high), sum(w.digest_low)
    from (
        select l.hour, l.events, l.digest_high, l.digest_low
        from hour_ledger as l
        where l.shard = $1 and l.hour >= $2 and l.hour < $3
        union all
        select r.hour, r.events, r.digest_high, r.digest_low
        from receipts as r
        where r.shard = $1 and r.hour >= $2 and r.hour < $3
    ) as w
    group by w.hour
    having (sum(w.events), sum(w.digest_high), sum(w.digest_low)) <> (0, 0, 0)
$$;
