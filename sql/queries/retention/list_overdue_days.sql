-- Days that are due to leave the log. A day is left out when it failed or was sealed less than $1 ago: retention tried it
-- then. So is a day that was brought back, for its time.
-- $1 patience: minimum time between two tries of a day, $2 clock or null, $3 moment: the time that passed
-- Rows: one per day (day, since and until: its first hour and the next day's), oldest first.
select d.day, d.since, d.until
from (
    select p.day, p.day::timestamp at time zone 'UTC' as since, (p.day + 1)::timestamp at time zone 'UTC' as until
    from log_days() as p
) as d
cross join (select coalesce($2::timestamptz, clock_timestamp()) - $1::interval as moment) as ago
where d.until <= due_before($3)
    and not exists (select from leaving_days as l where l.day = d.day and l.stage = 'returned' and l.until > $3)
    and not exists (
        select
        from projections as p
        join hour_proofs as h on h.projection = p.projection and h.version = p.live_version
        where h.state = any (failed_states())
            and h.hour >= d.since and h.hour < d.until and h.verified_at > ago.moment
    )
    and not exists (
        select from hour_seals as s where s.hour >= d.since and s.hour < d.until and s.sealed_at > ago.moment
    )
order by d.day
