-- The changes that events beyond the checkpoints make to rows of the live version, of all shards; rows as of hourly_tail.
-- Views of the schema bi call it, because their readers may not read its tables.
create or replace function bi_tail(kinds text[])
returns table (
    bucket timestamptz,
    dimension hourly_dimension,
    key text,
    kind hourly_member,
    member text,
    previous timestamptz,
    amount bigint
)
language sql stable
security definer
-- pg_temp comes last, so that a caller's temporary objects cannot take the place of ours.
set search_path = public, pg_temp
as $$
    select t.bucket, t.dimension, t.key, t.kind, t.member, t.previous, t.amount
    from log_heads as h
    cross join lateral hourly_standing(h.shard) as s
    cross join lateral hourly_tail(h.shard, s.version, s.folded, s.head, $1) as t
    where s.folded < s.head
$$;
