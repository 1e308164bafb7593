-- Which site a shard belongs to.
-- $1 shard
-- Rows: one (site).
select m.site
from site_shards as m
where m.shard = $1
