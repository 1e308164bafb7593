-- The number of days past their retention that could not be detached, because an hour does not verify or was sealed more
-- than an hour ago, and of days whose rows or files should have been dropped more than an hour ago.
-- Rows: one (days).
select count(*) as days
from (
    select d.until
    from (
        select p.day, p.day::timestamp at time zone 'UTC' as since, (p.day + 1)::timestamp at time zone 'UTC' as until
        from log_days() as p
    ) as d
    cross join log_clock as c
    where d.until <= due_before(c.known_at)
        and not exists (select from opened_days as o where o.day = d.day)
        and not exists (
            select from leaving_days as l where l.day = d.day and l.stage = 'returned' and l.until > c.known_at
        )
        and (
            exists (
                select
                from projections as p
                join hour_proofs as h on h.projection = p.projection and h.version = p.live_version
                where h.state = any (failed_states()) and h.hour >= d.since and h.hour < d.until
            )
            or exists (
                select from hour_seals as s
                where s.hour >= d.since and s.hour < d.until and s.sealed_at < clock_timestamp() - interval '1 hour'
            )
        )
    union all
    select l.until
    from leaving_days as l
    join log_clock as c on l.stage = 'detached' and l.until < c.known_at - interval '1 hour'
    -- Its rows stay for as long as its files do.
    where not exists (
        select from archived_days as a
        where a.day = l.day and a.stage = 'leaving' and a.until >= c.known_at - interval '1 hour'
    )
    union all
    select a.until
    from archived_days as a
    join log_clock as c on a.stage = 'leaving' and a.until < c.known_at - interval '1 hour'
) as overdue
