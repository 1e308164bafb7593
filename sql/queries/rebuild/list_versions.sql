-- The versions of a projection.
-- $1 projection, $2 clock or null
-- Rows: one per version (version, live, stage: the earliest of its shards, idle: how long its rebuild has done
-- nothing).
select
    c.version,
    c.version = p.live_version as live,
    case
        when bool_or(c.stage = 'filling') then 'filling'
        when bool_or(c.stage = 'proving') then 'proving'
        else 'complete'
    end as stage,
    coalesce($2::timestamptz, clock_timestamp()) - greatest(
        max(c.begun_at),
        (select max(f.filled_at) from hourly_fills as f where f.version = c.version),
        (select max(h.verified_at) from hour_proofs as h where h.projection = $1 and h.version = c.version)
    ) as idle
from checkpoints as c
join projections as p on p.projection = c.projection
where c.projection = $1
group by c.version, p.live_version
order by c.version
