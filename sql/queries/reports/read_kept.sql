-- Since when events, rollups and users are complete: from each moment on, retention has dropped nothing.
-- Rows: one (events_since: null when there never was a horizon; rollups_since: null when none were dropped; people_since:
-- from when on users are counted, null when they always were).
select
    greatest(
        -- A day without a partition has no events. It is complete all the same from the horizon on. Without a horizon
        -- nothing was ever dropped.
        (
            select least((select min(l.day) from log_days() as l)::timestamp at time zone 'UTC', h.horizon)
            from (select min(h.horizon) as horizon from log_heads as h) as h
            where h.horizon <> '-infinity'
        ),
        (select max(r.day) + 1 from retired_days as r)::timestamp at time zone 'UTC'
    ) as events_since,
    (select nullif(max(t.rollups_since), '-infinity') from shard_totals as t) as rollups_since,
    (select nullif(max(t.people_since), '-infinity') from shard_totals as t) as people_since
