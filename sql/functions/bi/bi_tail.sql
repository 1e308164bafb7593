-- The changes that the events beyond the checkpoints would make to the rows of the live version, in all shards. Rows:
-- as hourly_tail, with the number of the site.
-- For the views of the schema bi: their readers have no rights on the tables that this function reads.
create or replace function bi_tail(kinds text[])
returns table (
    bucket timestamptz,
    dimension hourly_dimension,
    key text,
    kind hourly_member,
    member text,
    previous timestamptz,
    amount bigint,
    site integer
)
language sql stable
security definer
-- pg_temp comes last, so that a caller's temporary table cannot shadow one of ours.
set search_path = public, pg_temp
as $$
    select t.bucket, t.dimension, t.key, t.kind, t.member, t.previous, t.amount, h.site
    from site_shards as h
    cross join lateral hourly_standing(h.shard) as s
    cross join lateral hourly_tail(h.shard, s.version, s.folded, s.head, $1) as t
    where s.folded < s.head
$$;
