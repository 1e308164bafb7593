-- Days past the horizon of every shard whose events are kept because they do not verify.
-- Rows: one (days).
select count(*) as days
from (
    select distinct (h.hour at time zone 'UTC')::date as day
    from projections as p
    join hour_proofs as h on h.projection = p.projection and h.version = p.live_version
    where h.state in ('drifted', 'damaged', 'broken') and h.hour < (select min(l.horizon) from log_heads as l)
) as failed
where to_regclass(day_partition(failed.day)) is not null
