-- Days before the horizon of every shard whose events are still there, but those that failed verification a moment ago.
-- $1 patience: the least time between two verifications of such a day, $2 clock or null
-- Rows: one per day (day, since and until: its first hour and the next day's), oldest first.
select d.day, d.day::timestamp at time zone 'UTC' as since, (d.day + 1)::timestamp at time zone 'UTC' as until
from (
    select to_date(right(c.relname, 8), 'YYYYMMDD') as day
    from pg_inherits as i
    join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = 'events'::regclass
) as d
where (d.day + 1)::timestamp at time zone 'UTC' <= (select min(h.horizon) from log_heads as h)
    and not exists (
        select
        from projections as p
        join hour_proofs as h on h.projection = p.projection and h.version = p.live_version
        where h.state in ('drifted', 'damaged')
            and (h.hour at time zone 'UTC')::date = d.day
            and h.verified_at > coalesce($2::timestamptz, clock_timestamp()) - $1::interval
    )
order by d.day
