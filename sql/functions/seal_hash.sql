-- Hash of a seal: SHA-256 of a canonical text of all it holds, the hash of the one before included.
create or replace function seal_hash(seal hour_seals)
returns bytea
language sql stable parallel safe
as $$
    select sha256(convert_to(json_build_array(
        $1.shard, $1.sequence, round(date_part('epoch', $1.hour))::bigint, $1.document::text, $1.events,
        $1.position_sum::text, $1.digest_high::text, $1.digest_low::text, $1.rows_high::text, $1.rows_low::text,
        $1.code_version, round(date_part('epoch', $1.sealed_at) * 1000000)::bigint, encode($1.previous_hash, 'hex')
    )::text, 'UTF8'))
$$;
