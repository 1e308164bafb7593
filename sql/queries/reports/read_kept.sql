-- Since when events, rollups and users are complete: from each moment on, retention has dropped nothing.
-- Rows: one (events_since: null when there was never a day; rollups_since: null when none were dropped; people_since:
-- from when on users are counted, null when they always were; retired_since: the end of the newest day that retention
-- took, null when it took none).
select
    greatest(
        (select min(l.day) from log_days() as l), (select max(r.day) + 1 from retired_days as r)
    )::timestamp at time zone 'UTC' as events_since,
    (select nullif(max(t.rollups_since), '-infinity') from shard_totals as t) as rollups_since,
    (select nullif(max(t.people_since), '-infinity') from shard_totals as t) as people_since,
    (select max(r.day) + 1 from retired_days as r)::timestamp at time zone 'UTC' as retired_since
