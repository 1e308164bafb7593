-- The stretches of positions in which new names of a kind were refused in a shard, those that may have events with
-- timestamps from `since` on. Rows: one, null when there are none.
create or replace function refused_positions(in_shard integer, in_kind text, since timestamptz)
returns int8multirange
language sql stable
as $$
    select range_agg(int8range(r.position, r.upto, '[]'))
    from refused_names as r
    -- An event may be a day ahead of the moment at which it was received.
    where r.shard = $1 and r.kind = $2 and r.hour >= $3 - interval '25 hours'
$$;
