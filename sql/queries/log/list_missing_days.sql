-- Days that accept events but have no partition yet: those around today within the retention of rows in force, and of others
-- those that are asked for.
-- $1 retention of rows in days, for a log that has recorded none, $2 clock or null, $3 days behind the clock, $4 days ahead of
-- it, $5 other days
-- Rows: one per day (day), oldest first.
select d.day
from
    (select coalesce($2::timestamptz, clock_timestamp()) as moment) as clock
cross join (
    select min(h.horizon) as horizon, coalesce((select r.log_days from retention_in_force as r), $1::integer) as days
    from log_heads as h
) as log
cross join lateral (
    select
        date_trunc('day', clock.moment at time zone 'UTC') as today,
        horizon_at(log.horizon, log.days, clock.moment) at time zone 'UTC' as horizon
) as utc
cross join lateral (
    select d::date as day
    from generate_series(
        greatest(utc.horizon, utc.today - make_interval(days => least(log.days, $3::integer))),
        utc.today + make_interval(days => $4::integer),
        '1 day'
    ) as d
    union
    select a.day
    from unnest($5::date[]) as a (day)
    where a.day >= utc.horizon and a.day <= utc.today + interval '1 day'
) as d
where to_regclass(day_partition(d.day)) is null
order by d.day
