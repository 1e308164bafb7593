-- Versions of a projection that have ended: rows of them may be left.
-- $1 projection
-- Rows: one per version (version).
select v.version
from projections as p
cross join generate_series(1, p.newest_version) as v (version)
where p.projection = $1
    and not exists (select from checkpoints as c where c.projection = $1 and c.version = v.version)
order by v.version
