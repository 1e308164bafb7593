-- How many events of the log have a tombstone, without those that an erasure under way is about: they have not gone yet.
-- Rows: one (events).
select count(*) as events
from erased_days as d
join events as e on e.timestamp >= d.day::timestamp at time zone 'UTC'
    and e.timestamp < (d.day + 1)::timestamp at time zone 'UTC'
join erased_ids as t on t.shard = e.shard and t.day = d.day and t.id = tombstone(d.salt, e.timestamp, e.event_id)
where not exists (
    select
    from erasing as g
    join erasures as u on u.erasure = g.erasure
    join site_shards as s on s.site = u.site
    where s.shard = e.shard and (g.kind = 'user' and g.id = e.user_id or g.kind = 'session' and g.id = e.session_id)
)
