-- The number of days past the horizon of every shard that retention could not drop: an hour does not verify, or was
-- sealed more than an hour ago.
-- Rows: one (days).
select count(*) as days
from (
    select p.day::timestamp at time zone 'UTC' as since, (p.day + 1)::timestamp at time zone 'UTC' as until
    from log_days() as p
) as d
where d.until <= (select min(h.horizon) from log_heads as h)
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
