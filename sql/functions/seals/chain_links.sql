-- The links of a shard's chain: its seals and its amendments (R11). The hash of an amendment is computed anew, because a
-- changed one may be of a day where nothing else looks at it. Rows: one per link.
create or replace function chain_links(in_shard integer)
returns table (sequence bigint, hash bytea)
language sql stable
as $$
    select s.sequence, s.hash from hour_seals as s where s.shard = $1
    union all
    select a.sequence, amendment_hash(a) from amendments as a where a.shard = $1
$$;
