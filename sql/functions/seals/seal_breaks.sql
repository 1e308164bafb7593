-- Where a seal does not hold: its hash, its link to the seal before, or its witnesses. The witnesses are compared with
-- the ledger as long as the ledger is kept. Rows: one per difference, none when the seal holds or the hour has no seal.
create or replace function seal_breaks(in_shard integer, in_hour timestamptz)
returns table (field text, stored numeric, recounted numeric)
language sql stable
as $$
    select b.field, b.stored, b.recounted
    from hour_seals as s
    left join hour_seals as before on before.shard = s.shard and before.sequence = s.sequence - 1
    join shard_totals as t on t.shard = s.shard
    cross join appended($1, $2) as a
    cross join lateral (
        values
            ('seal', s.sequence::numeric, null::numeric, s.hash <> seal_hash(s)),
            (
                'seal_before', s.sequence, s.sequence - 1,
                s.previous_hash
                    is distinct from case when s.sequence = 1 then decode(repeat('00', 32), 'hex') else before.hash end
            ),
            ('events', s.events, a.events, s.hour >= t.rollups_since and s.events <> a.events),
            ('position_sum', s.position_sum, a.position_sum, s.hour >= t.rollups_since and s.position_sum <> a.position_sum),
            ('digest_high', s.digest_high, a.digest_high, s.hour >= t.rollups_since and s.digest_high <> a.digest_high),
            ('digest_low', s.digest_low, a.digest_low, s.hour >= t.rollups_since and s.digest_low <> a.digest_low)
    ) as b (field, stored, recounted, broken)
    where s.shard = $1 and s.hour = $2 and b.broken
$$;
