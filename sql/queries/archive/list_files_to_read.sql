-- The files of the archive that hold events of shards in a range exactly as they were appended; see
-- functions/archive/current_hours.sql.
-- $1 shards, $2 from, $3 to (exclusive), $4 files that cannot be read
-- Rows: one per file (file, shard, events, property_columns: JSON, long_numbers, is_whole: whether all of its events are
-- as they were appended, since and until: starts and ends of the stretches of hours whose events are), oldest first.
with current as (
    select
        c.file, c.hour, c.events,
        c.hour - row_number() over (partition by c.file order by c.hour) * interval '1 hour' as stretch
    from current_hours($1, date_trunc('day', $2, 'UTC'), date_trunc('day', $3, 'UTC') + interval '24 hours', $4) as c
),
stretches as (
    select c.file, min(c.hour) as since, hour_after(max(c.hour)) as until, sum(c.events) as events
    from current as c
    group by c.file, c.stretch
)
select
    f.file,
    f.shard,
    f.events,
    f.property_columns::text as property_columns,
    f.long_numbers,
    sum(s.events) = f.events as is_whole,
    array_agg(s.since order by s.since) as since,
    array_agg(s.until order by s.since) as until
from stretches as s
join archive_files as f on f.file = s.file
where f.since < $3 and f.until > $2
group by f.file
order by f.since, f.shard
