-- Hash of a seal: SHA-256 of its canonical text in UTF-8. The text is a JSON array as json_build_array writes it, with
-- ", " between its elements: shard, sequence, hour, document, events, position_sum, digest_high, digest_low,
-- rows_high, rows_low, code_version, sealed_at, previous_hash. Times are microseconds since 1970. The document, the
-- sums and the previous hash (in hex) are strings.
create or replace function seal_hash(seal hour_seals)
returns bytea
language sql stable parallel safe
as $$
    select sha256(convert_to(json_build_array(
        $1.shard, $1.sequence, round(date_part('epoch', $1.hour) * 1000000)::bigint, $1.document::text, $1.events,
        $1.position_sum::text, $1.digest_high::text, $1.digest_low::text, $1.rows_high::text, $1.rows_low::text,
        $1.code_version, round(date_part('epoch', $1.sealed_at) * 1000000)::bigint, encode($1.previous_hash, 'hex')
    )::text, 'UTF8'))
$$;
