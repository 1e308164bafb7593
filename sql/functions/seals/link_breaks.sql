-- Where links of a shard's chain that concern an hour do not hold: the hour's seals, those that were superseded too, and the
-- amendments of its day. A link holds when its hash is right, and when it has the hash of the link before.
-- Rows: one per difference (seal or amendment, or the same with _before; stored: its place; recounted: the place before, or
-- null).
create or replace function link_breaks(in_shard integer, in_hour timestamptz)
returns table (field text, stored numeric, recounted numeric)
language sql stable
as $$
    select b.field, l.sequence::numeric, b.recounted
    from (
        select 'seal' as kind, s.sequence, s.previous_hash, s.hash <> seal_hash(s) as is_changed
        from hour_seals as s
        where s.shard = $1 and s.hour = $2
        union all
        select 'amendment', a.sequence, a.previous_hash, a.hash <> amendment_hash(a)
        from amendments as a
        where a.shard = $1 and a.day = ($2 at time zone 'UTC')::date
    ) as l
    left join lateral (
        select c.hash from chain_links($1) as c where c.sequence = l.sequence - 1 limit 1
    ) as before on true
    cross join lateral (
        values
            (l.kind, null::numeric, l.is_changed),
            (
                l.kind || '_before', l.sequence - 1,
                l.previous_hash
                    is distinct from case when l.sequence = 1 then decode(repeat('00', 32), 'hex') else before.hash end
            )
    ) as b (field, recounted, is_broken)
    where b.is_broken
$$;
