-- The number of hours that are known to be wrong, in live versions; see functions/verify/failed_hours.sql.
-- Rows: one (drifted, damaged, broken).
select
    count(*) filter (where h.state = 'drifted') as drifted,
    count(*) filter (where h.state = 'damaged') as damaged,
    count(*) filter (where h.state = 'broken') as broken
from projections as p
cross join lateral failed_hours(p.projection) as h
