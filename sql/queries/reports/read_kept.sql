-- Since when the events, rollups and users of shards are complete: from each moment on, retention has dropped nothing.
-- $1 shards, or null for all
-- Rows: one (events_since: null when there never was a horizon; rollups_since: null when none were dropped; people_since:
-- from when on users are counted, null when they always were; rows_since: the end of the newest day whose events only the
-- archive has, null when there is none; days_left: how many days have left the rows, counted once per shard; newest_left: when
-- the last of them did).
select
    greatest(
        -- A day without a partition has no events. It is complete all the same from the horizon on, and so is one after a
        -- day that the archive keeps. Without a horizon nothing was ever dropped.
        (
            select least(
                (select min(l.day) from log_days() as l)::timestamp at time zone 'UTC',
                (select min(a.day) from archived_days as a where a.stage = 'kept')::timestamp at time zone 'UTC',
                h.horizon
            )
            from (select min(h.horizon) as horizon from log_heads as h) as h
            where h.horizon <> '-infinity'
        ),
        (select max(g.day) + 1 from gone_days() as g)::timestamp at time zone 'UTC'
    ) as events_since,
    (
        select nullif(max(t.rollups_since), '-infinity')
        from shard_totals as t
        where $1::integer[] is null or t.shard = any ($1)
    ) as rollups_since,
    (
        select nullif(max(t.people_since), '-infinity')
        from shard_totals as t
        where $1::integer[] is null or t.shard = any ($1)
    ) as people_since,
    (select max(a.day) + 1 from archived_days as a where a.stage = 'kept')::timestamp at time zone 'UTC' as rows_since,
    (select count(*) from retired_days) as days_left,
    (select max(r.retired_at) from retired_days as r) as newest_left
