-- Keeps projectors and rebuilds from the rows of a shard until the transaction ends. A version that is being filled is left
-- out, because its rebuild holds its checkpoint all the time.
-- $1 shard, $2 projection
-- Rows: one per version (version, live).
select c.version, exists (
    select from projections as p where p.projection = c.projection and p.live_version = c.version
) as live
from checkpoints as c
where c.shard = $1 and c.projection = $2 and c.stage <> 'filling'
order by c.version
for update of c
