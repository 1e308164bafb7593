-- The number, the sum of positions and the digest of the events in a file, by hour: what the ledger says of the hour
-- (R5). The canonical text of an event is that of PostgreSQL's json_build_array, see functions/log/event_digest.sql.
-- $file: path of the file
-- Rows: one per shard and hour (shard, hour: whole hours since 1970, events, position_sum, digest_high, digest_low).
with texts as (
    select
        *,
        '[' || concat_ws(
            ', ',
            coalesce(to_json(event_id)::varchar, 'null'),
            coalesce(to_json(session_id)::varchar, 'null'),
            coalesce(to_json(user_id)::varchar, 'null'),
            coalesce(to_json(event_type)::varchar, 'null'),
            coalesce(to_json(tool_name)::varchar, 'null'),
            coalesce(to_json(action)::varchar, 'null'),
            coalesce(properties, 'null'),
            coalesce(demo_mode::varchar, 'null'),
            epoch_us(timestamp)
        ) || ']' as json
    from read_parquet($file, hive_partitioning = false)
),
digests as (
    select
        shard,
        epoch_us(timestamp) // 3600000000 as hour,
        position,
        sha256(
            case
                -- DuckDB writes the hexadecimal digits of control characters as capitals, PostgreSQL does not.
                when contains(json, '\u00') then
                    '[' || concat_ws(
                        ', ',
                        array_to_string(
                            list_transform(
                                [event_id, session_id, user_id, event_type, tool_name, action],
                                lambda field: coalesce(
                                    '"' || array_to_string(
                                        list_transform(
                                            string_split(field, ''),
                                            lambda c: case
                                                when c < ' ' then lower((to_json(c)::varchar)[2:-2])
                                                else (to_json(c)::varchar)[2:-2]
                                            end
                                        ),
                                        ''
                                    ) || '"',
                                    'null'
                                )
                            ),
                            ', '
                        ),
                        coalesce(properties, 'null'),
                        coalesce(demo_mode::varchar, 'null'),
                        epoch_us(timestamp)
                    ) || ']'
                else json
            end
        ) as digest
    from texts
),
halves as (
    select
        shard,
        hour,
        position,
        ('0x' || left(digest, 16))::ubigint as high,
        ('0x' || digest[17:32])::ubigint as low
    from digests
)
select
    shard,
    hour,
    count(*) as events,
    sum(position) as position_sum,
    -- The halves are signed: 64 bits of which the first is set stand for 2^64 less.
    sum(high) - count_if(high >= 9223372036854775808) * 18446744073709551616 as digest_high,
    sum(low) - count_if(low >= 9223372036854775808) * 18446744073709551616 as digest_low
from halves
group by shard, hour
order by shard, hour
