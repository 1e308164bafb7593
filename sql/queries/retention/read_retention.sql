-- What retention goes by.
-- Rows: one:
--   event_days, rollup_days: the retention in force, null before the first start
--   ahead, behind: how far the clocks were ahead of the time that passed, or behind it, at the last reading
--   apart: how far the clocks of service and database were apart then
--   early: how far the horizon is ahead of where the retention puts it
--   horizon: the oldest timestamp that the log takes
--   known_at, read_at: the time that passed, and the database's clock, at the last reading
--   detached: number of detached days
select
    r.event_days,
    r.rollup_days,
    least(c.read_at, c.service_at) - c.known_at as ahead,
    c.known_at - least(c.read_at, c.service_at) as behind,
    greatest(c.read_at, c.service_at) - least(c.read_at, c.service_at) as apart,
    h.horizon
        - (date_trunc('day', c.known_at, 'UTC') - make_interval(hours => 24 * least(r.horizon_days, r.event_days)))
        as early,
    h.horizon,
    c.known_at,
    c.read_at,
    (select count(*) from leaving_days as l where l.stage = 'detached') as detached
from retention_in_force as r
cross join log_clock as c
cross join (select nullif(max(h.horizon), '-infinity') as horizon from log_heads as h) as h
