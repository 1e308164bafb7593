-- The number of hours whose last verification failed, in live versions.
-- Rows: one (drifted, damaged, broken).
select
    count(*) filter (where h.state = 'drifted') as drifted,
    count(*) filter (where h.state = 'damaged') as damaged,
    count(*) filter (where h.state = 'broken') as broken
from projections as p
join hour_proofs as h on h.projection = p.projection and h.version = p.live_version
where h.state = any (failed_states())
