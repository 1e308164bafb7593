-- Makes events like those of the data set `web` in the server and appends them to one shard. This is far faster than
-- sending them, and the append is a complete one. Each session has 14 events; a thousand sessions are active at a time.
-- $1 retention in days, $2 timestamp of the first event, $3 time between two, $4 number of the first event, $5 how many
-- Rows: one per event that was not stored (ordinal from 1, outcome).
select a.ordinal, a.outcome
from (
    select
        array_agg('evt_' || md5(n::text)) as event_ids,
        array_agg(substr(md5('s' || s), 1, 16)) as session_ids,
        array_agg(case when s % 10 < 3 then 'user_' || s * 7919 % 20000 end) as user_ids,
        array_agg(case when k % 10 < 6 then 'page_viewed' when k % 10 < 9 then 'tool_used' else 'risk_mode_changed' end)
            as event_types,
        array_agg((array['Home', 'Search', 'Reader', 'Editor', 'Settings', null])[1 + k % 6]) as tool_names,
        array_agg('opened'::text) as actions,
        array_agg(
            case
                when k % 10 < 9 then format('{"path": "/articles/%s", "milliseconds": %s}', n % 499, n % 9973)
                else format('{"risk_mode": "%s"}', (array['low', 'medium', 'high'])[1 + k % 3])
            end
        ) as properties,
        array_agg(false) as demo_modes,
        array_agg($2::timestamptz + (n - $4::bigint) * $3::interval) as timestamps
    from generate_series($4::bigint, $4::bigint + $5::bigint - 1) as n
    cross join lateral (select n / 14000 * 1000 + n % 1000 as s, n + n / 1000 as k) as its
) as made
cross join lateral append_events(
    0, $1, null, made.event_ids, made.session_ids, made.user_ids, made.event_types, made.tool_names, made.actions,
    made.properties, made.demo_modes, made.timestamps
) as a
