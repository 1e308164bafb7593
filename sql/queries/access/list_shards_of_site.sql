-- The shards of a site.
-- $1 site
-- Rows: one per shard (shard), ascending.
select m.shard
from site_shards as m
where m.site = $1
order by m.shard
