-- The place and the previous hash of the next link of a shard's chain. The caller holds the checkpoints' locks, so that no
-- other transaction extends the chain. Rows: one.
create or replace function next_link(in_shard integer)
returns table (sequence bigint, previous_hash bytea)
language sql stable
as $$
    select coalesce(newest.sequence, 0) + 1, coalesce(newest.hash, decode(repeat('00', 32), 'hex'))
    from (select) as one
    left join (
        -- The newest of each kind, by its primary key: a chain has a link for every hour that was ever sealed.
        (select s.sequence, s.hash from hour_seals as s where s.shard = $1 order by s.sequence desc limit 1)
        union all
        (select a.sequence, a.hash from amendments as a where a.shard = $1 order by a.sequence desc limit 1)
        order by sequence desc
        limit 1
    ) as newest on true
$$;
