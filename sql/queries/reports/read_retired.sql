-- The end of the newest day whose events are gone, and what has left the rows.
-- Rows: one (retired_since: null when no day is gone; rows_since, days_left, newest_left: as in read_kept).
select
    (select max(g.day) + 1 from gone_days() as g)::timestamp at time zone 'UTC' as retired_since,
    (select max(a.day) + 1 from archived_days as a where a.stage = 'kept')::timestamp at time zone 'UTC' as rows_since,
    (select count(*) from retired_days) as days_left,
    (select max(r.retired_at) from retired_days as r) as newest_left
