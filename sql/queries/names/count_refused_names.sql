-- In how many hours new names were refused.
-- Rows: one per site and kind (site, kind; hours: so far, in any shard; newest: the last of them; is_now: whether that is the
-- current hour).
select
    m.site, r.kind, count(distinct r.hour) as hours, max(r.hour) as newest,
    max(r.hour) = hour_of(clock_timestamp()) as is_now
from refused_names as r
join site_shards as m on m.shard = r.shard
group by m.site, r.kind
order by m.site, r.kind
