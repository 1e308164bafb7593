-- Makes the shards of an empty database, which are the default site's, and the first version of the projection hourly with
-- its checkpoints. A database whose migrations were rolled back may have shards but lack the projection.
-- $1 number of shards
-- Rows: none.
with made as (
    insert into log_heads (shard)
    select s from generate_series(0, $1::integer - 1) as s
    where not exists (select from log_heads)
    returning shard
),
totals as (
    insert into shard_totals (shard)
    select shard from made
),
sited as (
    insert into site_shards (shard, site)
    select shard, 0 from made
),
live as (
    insert into projections (projection, live_version)
    values ('hourly', 1)
    on conflict (projection) do nothing
)
insert into checkpoints (shard, projection, version)
select shards.shard, 'hourly', 1
from (select shard from log_heads union all select shard from made) as shards
where not exists (select from checkpoints as c where c.projection = 'hourly')
