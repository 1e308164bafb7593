-- The count and the digest of the events of one hour that a version has folded, by their witnesses. Rows: one, zeros
-- when there are none.
create or replace function folded_in(in_shard integer, in_version integer, in_hour timestamptz)
returns table (events bigint, digest_high numeric, digest_low numeric)
language sql stable
as $$
    select coalesce(sum(w.events), 0)::bigint, coalesce(sum(w.digest_high), 0), coalesce(sum(w.digest_low), 0)
    from (
        select l.events, l.digest_high, l.digest_low from hour_ledger as l where l.shard = $1 and l.hour = $3
        union all
        select r.events, r.digest_high, r.digest_low
        from receipts as r
        where r.shard = $1 and r.hour = $3
            and r.last_position <= (
                select c.position
                from checkpoints as c
                where c.shard = $1 and c.projection = 'hourly' and c.version = $2
            )
    ) as w
$$;
