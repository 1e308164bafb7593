-- Counts in one row per hour instead of one per quarter: a quarter of the rows to write and to read, and of their bytes.

alter table hourly_counts rename to hourly_counts_by_quarter;
alter index hourly_counts_pkey rename to hourly_counts_by_quarter_pkey;

create table hourly_counts (
    shard integer not null,
    version integer not null,
    hour timestamptz not null
        constraint "counts are of a whole hour" check (hour = date_bin('1 hour', hour, '2000-01-01 00:00:00+00')),
    dimension hourly_dimension not null,
    key text collate "C" not null,
    events_00 bigint not null default 0,
    events_15 bigint not null default 0,
    events_30 bigint not null default 0,
    events_45 bigint not null default 0,
    primary key (shard, version, hour, dimension, key)
) with (fillfactor = 70);
comment on table hourly_counts is 'Events per hour, dimension and key, of each quarter of the hour. The sum over event_type is every event.';
comment on column hourly_counts.shard is 'Shard of the events.';
comment on column hourly_counts.version is 'Version of the projection.';
comment on column hourly_counts.hour is 'The hour (UTC).';
comment on column hourly_counts.dimension is 'What is counted by.';
comment on column hourly_counts.key is 'The value counted.';
comment on column hourly_counts.events_00 is 'Number of events in the first quarter of the hour.';
comment on column hourly_counts.events_15 is 'Number of events in the second quarter.';
comment on column hourly_counts.events_30 is 'Number of events in the third quarter.';
comment on column hourly_counts.events_45 is 'Number of events in the fourth quarter.';

-- A row that a manual edit put between two quarters goes to the earlier one: it is as wrong there, so verify reports
-- it.
insert into hourly_counts (shard, version, hour, dimension, key, events_00, events_15, events_30, events_45)
select
    c.shard, c.version, c.hour, c.dimension, c.key,
    coalesce(sum(c.events) filter (where c.bucket < c.hour + interval '15 minutes'), 0),
    coalesce(sum(c.events) filter (
        where c.bucket >= c.hour + interval '15 minutes' and c.bucket < c.hour + interval '30 minutes'
    ), 0),
    coalesce(sum(c.events) filter (
        where c.bucket >= c.hour + interval '30 minutes' and c.bucket < c.hour + interval '45 minutes'
    ), 0),
    coalesce(sum(c.events) filter (where c.bucket >= c.hour + interval '45 minutes'), 0)
from (
    select q.*, date_bin('1 hour', q.bucket, '2000-01-01 00:00:00+00') as hour
    from hourly_counts_by_quarter as q
) as c
group by c.shard, c.version, c.hour, c.dimension, c.key
order by c.shard, c.version, c.hour, c.dimension, c.key;

drop table hourly_counts_by_quarter;
