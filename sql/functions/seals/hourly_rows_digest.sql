-- Digest of the counts and member rows of one hour: sums over the rows of two 64-bit halves of each row's SHA-256.
-- Edges are left out, because retention of older hours changes them; verify recounts them from the member rows.
-- After retention has deleted the hour, the first rows of users that it kept there are left out, too. Rows: one.
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
        select member_digest(s.bucket, s.kind, s.member)
        from hourly_stored($1, $2, $3) as s
        where s.member is not null and (s.kind <> 'user' or $3 >= (select rollups_since($1)))
        offset 0  -- keeps each digest from being computed once per half
    ) as r
$$;
