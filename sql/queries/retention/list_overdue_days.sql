-- Days that are due to leave the log. A day is left out when it failed or was sealed less than $1 ago: retention tried it
-- then. So is a day that was brought back, for its time, and one that is open for history.
-- $1 patience: minimum time between two tries of a day, $2 clock or null, $3 moment: the time that passed, $4 retention
-- of events in days
-- Rows: one per day (day, since and until: its first hour and the next day's, is_kept: its events are to be kept in the
-- archive), oldest first.
select
    d.day,
    d.since,
    d.until,
    d.until > date_trunc('day', $3::timestamptz, 'UTC') - make_interval(hours => 24 * $4::integer) as is_kept
from (
    select p.day, p.day::timestamp at time zone 'UTC' as since, (p.day + 1)::timestamp at time zone 'UTC' as until
    from log_days() as p
) as d
cross join (select coalesce($2::timestamptz, clock_timestamp()) - $1::interval as moment) as ago
where d.until <= due_before($3)
    and not exists (select from leaving_days as l where l.day = d.day and l.stage = 'returned' and l.until > $3)
    and not exists (select from opened_days as o where o.day = d.day)
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
