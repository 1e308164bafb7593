-- Hours whose last verification failed.
-- Rows: one (drifted, damaged).
select
    count(*) filter (where state = 'drifted') as drifted,
    count(*) filter (where state = 'damaged') as damaged
from hour_proofs
where state <> 'verified'
