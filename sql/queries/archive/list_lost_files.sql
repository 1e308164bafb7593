-- Files that were to hold hours of gaps, whose rows have left the log although retention did not take them. So nothing
-- has the events of these hours.
-- $1 to $3 one element per gap: shard, from, to (exclusive)
-- Rows: one per file (file, hours).
select h.file, array_agg(distinct h.hour order by h.hour) as hours
from unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) as g (shard, since, until)
join archive_hours as h on h.shard = g.shard and h.hour >= hour_of(g.since) and h.hour < g.until
where (h.hour at time zone 'UTC')::date <> all (array(select d.day from log_days() as d))
    and not exists (
        select from gone_days() as g where g.day = (h.hour at time zone 'UTC')::date
    )
group by h.file
order by h.file
