-- Digest of the counts and session rows of one hour: a sum of two 64-bit halves of each row's SHA-256. Rows: one.
-- Edges are left out: retention of older hours changes them; verify counts them anew from the session rows.
create or replace function hourly_rows_digest(in_shard integer, in_version integer, in_hour timestamptz)
returns table (rows_high numeric, rows_low numeric)
language sql stable
as $$
    select coalesce(sum(digest_half(r.digest, 1)), 0), coalesce(sum(digest_half(r.digest, 9)), 0)
    from (
        select sha256(convert_to(json_build_array(
            round(date_part('epoch', s.bucket) * 1000000)::bigint, s.dimension, s.key, s.amount
        )::text, 'UTF8')) as digest
        from hourly_stored($1, $2, $3) as s
        where s.dimension is not null
        union all
        select sha256(convert_to(json_build_array(
            round(date_part('epoch', s.bucket) * 1000000)::bigint, s.session_id
        )::text, 'UTF8'))
        from hourly_stored($1, $2, $3) as s
        where s.session_id is not null
        offset 0  -- keeps each digest from being computed once per half
    ) as r
$$;
