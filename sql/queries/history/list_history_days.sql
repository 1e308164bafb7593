-- Where days stand that history may come into; see functions/history/history_day.sql.
-- $1 days, $2 the time that passed, or null
-- Rows: one per day (day, state, hindrance, passes, kept_until; gone_after: the newest later day whose events no answer
-- shows, also when these days have come in, else null), oldest first.
with stands as materialized (
    select d.day, h.state, h.hindrance, h.passes, h.kept_until
    from unnest($1::date[]) as d (day)
    cross join lateral history_day(d.day, $2) as h
),

stays_gone as (
    select max(g.day) as day
    from gone_days() as g
    left join stands as s on s.day = g.day
    where s.day is null or s.hindrance is not null
)

select s.day, s.state, s.hindrance, s.passes, s.kept_until, case when g.day > s.day then g.day end as gone_after
from stands as s
cross join stays_gone as g
order by s.day
