-- The UTC days of a quarantine, from the first of which the log knows anything, and where they stand.
-- $1 number
-- Rows: one per shard and day (shard, day, is_in_force), by day.
with bounds as (
    select
        q.number, q.shards,
        greatest(
            (q.since at time zone 'UTC')::date,
            (
                select coalesce(min((w.hour at time zone 'UTC')::date), (q.put_at at time zone 'UTC')::date)
                from (
                    select l.hour from hour_ledger as l
                    union all
                    select r.hour from receipts as r
                    union all
                    select h.horizon from log_heads as h where h.horizon > '-infinity'
                    union all
                    select o.day::timestamp at time zone 'UTC' from opened_days as o
                    union all
                    select f.day::timestamp at time zone 'UTC' from quarantined_days as f where f.quarantine = q.number
                ) as w
            )
        ) as first,
        ((q.until - interval '1 microsecond') at time zone 'UTC')::date as last
    from quarantines as q
    where q.number = $1
)
select
    h.shard, d.day::date as day,
    exists (
        select from quarantined_days as f where f.shard = h.shard and f.day = d.day::date and f.quarantine = b.number
    ) as is_in_force
from bounds as b
cross join lateral generate_series(b.first::timestamp, b.last::timestamp, '1 day') as d (day)
cross join lateral unnest(b.shards) as h (shard)
order by d.day, h.shard
