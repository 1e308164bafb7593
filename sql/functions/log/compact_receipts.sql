-- Adds the receipts that every checkpoint has passed to hour_ledger, and deletes them. The shard's newest receipt
-- stays, because it holds the head. Rows: one, the number of receipts removed.
create or replace function compact_receipts(in_shard integer)
returns bigint
language plpgsql volatile
as $$
declare
    removed bigint;
begin
    perform from checkpoints where shard = in_shard for update skip locked;
    with passed as (
        delete from receipts as r
        where r.shard = in_shard
            and r.last_position < log_head(in_shard)
            and r.last_position <= (select min(c.position) from checkpoints as c where c.shard = in_shard)
        returning r.hour, r.events, r.position_sum, r.digest_high, r.digest_low
    ),
    summed as (
        insert into hour_ledger as l (shard, hour, events, position_sum, digest_high, digest_low)
        select in_shard, p.hour, sum(p.events), sum(p.position_sum), sum(p.digest_high), sum(p.digest_low)
        from passed as p
        group by p.hour
        order by p.hour
        on conflict (shard, hour) do update set
            events = l.events + excluded.events,
            position_sum = l.position_sum + excluded.position_sum,
            digest_high = l.digest_high + excluded.digest_high,
            digest_low = l.digest_low + excluded.digest_low
    ),
    totalled as (
        insert into shard_totals as t (shard, compacted)
        select in_shard, sum(p.events) from passed as p having count(*) > 0
        on conflict (shard) do update set compacted = t.compacted + excluded.compacted
    )
    select count(*) into removed from passed;
    return removed;
end
$$;
