-- Writes the events of a day, like those of the data set `web`, with the columns of a file of the archive, unsorted.
-- Of 378 events in a row, 1 is of the first session, 2 are of the second, and so on up to 27. Such a group begins within
-- an hour, and its sessions last up to another hour.
-- $first, $end: numbers of the events that may be of the day; $events: of all days
-- $since: start of all days; $range: how long these are, in microseconds; $day: start of the day
-- $before: events of the days before
-- $file: where to write
-- Rows: one (the number of rows).
copy (
    with numbered as (
        select n, n // 378 * 27 + floor((sqrt(8 * (n % 378) + 1) - 1) / 2)::bigint as session
        from range($first::bigint, $end::bigint) as r (n)
    ),
    started as (
        select
            n,
            session,
            epoch_us($since::timestamptz)
            + (session // 27 * (($range::bigint - 7200000000) / ($events::bigint / 378)))::bigint
            + (hash(session, 1) % 3600000000)::bigint as start,
            1 + (hash(session, 2) % 3599999999)::bigint as lasting
        from numbered
    ),
    timed as (
        select n, session, make_timestamptz(start + (hash(n, 3) % lasting::ubigint)::bigint) as timestamp
        from started
    ),
    placed as (
        select n, session, timestamp, $before::bigint + row_number() over (order by timestamp, n) as position
        from timed
        where timestamp >= $day::timestamptz and timestamp < $day::timestamptz + interval '24 hours'
    ),
    told as (
        select
            n,
            timestamp,
            position,
            lower(lpad(to_hex(hash(session, 4)), 16, '0')) as session_id,
            case when hash(session, 5) % 10 < 3 then 'user_' || hash(session, 6) % 20000 end as user_id,
            case
                when hash(n, 7) % 10 < 6 then 'page_viewed'
                when hash(n, 7) % 10 < 9 then 'tool_used'
                else 'risk_mode_changed'
            end as event_type,
            ['Home', 'Search', 'Reader', 'Editor', 'Settings', null][1 + (hash(n, 8) % 6)::bigint] as tool_name,
            case when hash(n, 7) % 10 < 9 then '/articles/' || hash(n, 9) % 500 end as path,
            case when hash(n, 7) % 10 < 9 then (hash(n, 10) % 10000)::bigint end as milliseconds,
            case when hash(n, 7) % 10 = 9 then ['low', 'medium', 'high'][1 + (hash(n, 11) % 3)::bigint] end as risk_mode
        from placed
    )
    select
        0::integer as shard,
        position,
        'evt_' || lower(lpad(to_hex(hash(n, 12)), 16, '0') || lpad(to_hex(hash(n, 13)), 16, '0')) as event_id,
        session_id,
        user_id,
        event_type,
        tool_name,
        'opened' as action,
        coalesce(
            '{"path": "' || path || '", "milliseconds": ' || milliseconds || '}',
            '{"risk_mode": "' || risk_mode || '"}'
        ) as properties,
        false as demo_mode,
        timestamp,
        -- Events that came within 20 ms were stored by one append.
        time_bucket(interval '20 milliseconds', timestamp) + interval '25 milliseconds' as received_at,
        left(sha256(session_id), 32)::uuid as session,
        risk_mode,
        false as long_numbers,
        path as "properties.path",
        milliseconds as "properties.milliseconds",
        risk_mode as "properties.risk_mode"
    from told
) to $file (format parquet, compression lz4_raw)
