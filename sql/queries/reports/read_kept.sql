-- Since when there is something to count: all days of events, and all hours of rollups, from then on are kept.
-- Rows: one (events_since, rollups_since; null when nothing was ever dropped and no day is made; people_since: from when on
-- users are known, null when always).
select
    greatest(
        (select min(l.day) from log_days() as l), (select max(r.day) + 1 from retired_days as r)
    )::timestamp at time zone 'UTC' as events_since,
    (select nullif(max(t.rollups_since), '-infinity') from shard_totals as t) as rollups_since,
    (select nullif(max(t.people_since), '-infinity') from shard_totals as t) as people_since
