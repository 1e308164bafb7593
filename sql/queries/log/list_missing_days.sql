-- Days that accept events but have no partition yet.
-- $1 retention in days, $2 clock or null, $3 days ahead of the clock
-- Rows: one per day (day), oldest first.
select d::date as day
from
    (select coalesce($2::timestamptz, clock_timestamp()) as moment) as clock,
    (select min(horizon) as horizon from log_heads) as heads,
    generate_series(
        horizon_at(heads.horizon, $1::integer, clock.moment) at time zone 'UTC',
        date_trunc('day', clock.moment at time zone 'UTC') + make_interval(days => $3::integer),
        '1 day'
    ) as d
where to_regclass(day_partition(d::date)) is null
order by d
