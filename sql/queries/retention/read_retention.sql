-- What retention goes by.
-- Rows: one:
--   event_days, rollup_days, log_days: the retention in force, null before the first start
--   ahead, behind: how far the clocks were ahead of the time that passed, or behind it, at the last reading
--   apart: how far the clocks of service and database were apart then
--   early: how far the horizon is ahead of where the retention puts it
--   horizon: the oldest timestamp that the log takes
--   known_at, read_at: the time that passed, and the database's clock, at the last reading
--   detached: number of days whose rows have left the log and are still there
--   kept, kept_since: number of days that only the archive keeps, and the start of the oldest, null when there is none
select
    r.event_days,
    r.rollup_days,
    r.log_days,
    least(c.read_at, c.service_at) - c.known_at as ahead,
    c.known_at - least(c.read_at, c.service_at) as behind,
    greatest(c.read_at, c.service_at) - least(c.read_at, c.service_at) as apart,
    h.horizon
        - (date_trunc('day', c.known_at, 'UTC') - make_interval(hours => 24 * least(r.horizon_days, r.log_days)))
        as early,
    h.horizon,
    c.known_at,
    c.read_at,
    (select count(*) from leaving_days as l where l.stage = 'detached') as detached,
    k.days as kept,
    k.since as kept_since
from retention_in_force as r
cross join log_clock as c
cross join (select nullif(max(h.horizon), '-infinity') as horizon from log_heads as h) as h
cross join (
    select count(*) as days, min(a.day)::timestamp at time zone 'UTC' as since
    from archived_days as a
    where a.stage = 'kept'
) as k
