-- The sites and their shards.
-- Rows: one per site (site, name, time_zone, origins, created_at, retired_at, shards: ascending, empty before the first
-- shards are made), by number.
select
    s.site, s.name, s.time_zone, s.origins, s.created_at, s.retired_at,
    array(select m.shard from site_shards as m where m.site = s.site order by m.shard) as shards
from sites as s
order by s.site
