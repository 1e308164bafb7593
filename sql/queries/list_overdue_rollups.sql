-- Moments up to which a shard's rollups are to be deleted: the ends of the days past their retention. None is later than the
-- start of the oldest day whose events are still there.
-- $1 shard, $2 rollup retention in days, $3 clock or null
-- Rows: one per day (before), oldest first.
select distinct (l.day + 1)::timestamp at time zone 'UTC' as before
from (select (hour at time zone 'UTC')::date as day from hour_ledger where shard = $1) as l
where l.day < (
    select least(
        (coalesce($3::timestamptz, clock_timestamp()) at time zone 'UTC')::date - $2::integer,
        min(to_date(right(c.relname, 8), 'YYYYMMDD'))
    )
    from pg_inherits as i
    join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = 'events'::regclass
)
order by before
