-- Where the chain does not hold for an hour: in its links (see link_breaks), or the witnesses of the seal in force. The
-- witnesses are compared with the ledger as long as the ledger is kept, and not while the hour's day takes history: then
-- there may be more than was sealed. Rows: one per difference, none when all holds or the hour has no seal.
create or replace function seal_breaks(in_shard integer, in_hour timestamptz)
returns table (field text, stored numeric, recounted numeric)
language sql stable
as $$
    select l.field, l.stored, l.recounted from link_breaks($1, $2) as l
    union all
    select b.field, b.stored, b.recounted
    from seal_of($1, $2) as s
    join shard_totals as t on t.shard = s.shard and s.hour >= t.rollups_since
    cross join appended($1, $2) as a
    cross join lateral (
        values
            ('events', s.events::numeric, a.events::numeric),
            ('position_sum', s.position_sum, a.position_sum),
            ('digest_high', s.digest_high, a.digest_high),
            ('digest_low', s.digest_low, a.digest_low)
    ) as b (field, stored, recounted)
    where b.stored <> b.recounted
        and not exists (select from opened_days as o where o.day = ($2 at time zone 'UTC')::date)
$$;
