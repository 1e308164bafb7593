-- Days that are open for history.
-- Rows: one per day (day, stage, reason, asked_by, opened_at, open_for: how long), oldest first.
select o.day, o.stage, o.reason, o.asked_by, o.opened_at, clock_timestamp() - o.opened_at as open_for
from opened_days as o
order by o.day
