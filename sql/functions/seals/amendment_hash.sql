-- Hash of an amendment: SHA-256 of its canonical text in UTF-8. The text is a JSON array as json_build_array writes it, with
-- ", " between its elements: shard, sequence, day (YYYY-MM-DD), kind, reason, asked_by, hours, code_version, amended_at,
-- previous_hash. The time is microseconds since 1970. The hours and the previous hash (in hex) are strings.
create or replace function amendment_hash(amendment amendments)
returns bytea
language sql stable parallel safe
as $$
    select sha256(convert_to(json_build_array(
        $1.shard, $1.sequence, to_char($1.day::timestamp, 'YYYY-MM-DD'), $1.kind, $1.reason, $1.asked_by, $1.hours::text,
        $1.code_version, round(date_part('epoch', $1.amended_at) * 1000000)::bigint, encode($1.previous_hash, 'hex')
    )::text, 'UTF8'))
$$;
