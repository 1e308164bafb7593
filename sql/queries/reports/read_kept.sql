-- The moments since which every day of events and every hour of rollups is kept, and users are known.
-- Rows: one (events_since: null without any day, rollups_since and people_since: null when nothing is missing).
select
    greatest(
        (select min(l.day) from log_days() as l), (select max(r.day) + 1 from retired_days as r)
    )::timestamp at time zone 'UTC' as events_since,
    (select nullif(max(t.rollups_since), '-infinity') from shard_totals as t) as rollups_since,
    (select nullif(max(t.people_since), '-infinity') from shard_totals as t) as people_since
