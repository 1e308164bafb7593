-- Every checkpoint of a projection, with its shard's head. The cost does not grow with a checkpoint's lag.
-- $1 projection
-- Rows: one per shard and version (shard, version, live, stage, position, head).
select
    c.shard,
    c.version,
    c.version = p.live_version as live,
    c.stage,
    c.position,
    log_head(c.shard) as head
from checkpoints as c
join projections as p on p.projection = c.projection
where c.projection = $1
order by c.shard, c.version
