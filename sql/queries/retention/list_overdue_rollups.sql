-- The ends of retired days past the rollup retention: a shard's rollups before such a moment are due for deletion. No
-- moment is later than the start of the oldest day that was not retired, even if that day has no events, or that can
-- still come back, or that the archive keeps.
-- $1 shard, $2 rollup retention in days, $3 moment: the time that passed
-- Rows: one per day (before), oldest first.
select d.until as before
from (
    select r.shard, (r.day + 1)::timestamp at time zone 'UTC' as until from retired_days as r where r.shard = $1
) as d
join shard_totals as t on t.shard = d.shard and t.rollups_since < d.until
where d.until <= date_trunc('day', $3::timestamptz, 'UTC') - make_interval(hours => 24 * $2)
    and not exists (select from leaving_days as w where w.day::timestamp at time zone 'UTC' < d.until)
    and not exists (select from archived_days as a where a.day::timestamp at time zone 'UTC' < d.until)
    and not exists (select from log_days() as p where p.day::timestamp at time zone 'UTC' < d.until)
    and not exists (
        select
        from hour_ledger as l
        where l.shard = d.shard and l.hour >= t.rollups_since and l.hour < d.until
            and not exists (
                select from retired_days as r where r.shard = l.shard and r.day = (l.hour at time zone 'UTC')::date
            )
    )
order by d.until
