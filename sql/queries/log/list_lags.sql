-- How far each checkpoint of a projection is behind its shard's head, in positions and in events.
-- $1 projection, $2 shards, or null for all
-- Rows: one per shard and version (shard, version, live, stage, position, head, lag_events).
select
    c.shard,
    c.version,
    c.version = p.live_version as live,
    c.stage,
    c.position,
    log_head(c.shard) as head,
    (
        select coalesce(sum(r.events), 0)::bigint
        from receipts as r
        where r.shard = c.shard and r.last_position > c.position
    ) as lag_events
from checkpoints as c
join projections as p on p.projection = c.projection
where c.projection = $1 and ($2::integer[] is null or c.shard = any ($2))
order by c.shard, c.version
