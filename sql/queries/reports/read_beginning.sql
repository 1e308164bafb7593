-- When the data of shards began: the quarter of an hour of the oldest event, folded or in the tail of the log. Retention may have
-- deleted older ones.
-- $1 shards
-- Rows: one (is_retired: whether retention deleted rollups; began: null without events).
select
    exists (
        select from shard_totals as t where t.shard = any ($1::integer[]) and t.rollups_since > '-infinity'
    ) as is_retired,
    (
        select min(least(stored.began, tail.began))
        from unnest($1::integer[]) as h (shard)
        cross join lateral hourly_standing(h.shard) as s
        cross join lateral (
            select min(b.bucket) as began
            from (select min(c.hour) as hour from hourly_counts as c where c.shard = h.shard and c.version = s.version) as f
            cross join lateral hourly_buckets(h.shard, s.version, f.hour, f.hour + interval '1 hour') as b
            where b.events <> 0
        ) as stored
        -- The receipts name the hours of events beyond the checkpoint.
        cross join lateral (
            select min(r.hour) as hour from receipts as r where r.shard = h.shard and r.last_position > s.folded
        ) as appended
        cross join lateral (
            select quarter_of(min(e.timestamp)) as began
            from events as e
            where (stored.began is null or appended.hour <= stored.began)
                and e.shard = h.shard and e.position > s.folded
                and e.timestamp >= appended.hour and e.timestamp < appended.hour + interval '1 hour'
        ) as tail
    ) as began
