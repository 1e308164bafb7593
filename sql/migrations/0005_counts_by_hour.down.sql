-- Counts in one row per quarter of an hour again.

alter table hourly_counts rename to hourly_counts_by_hour;
alter index hourly_counts_pkey rename to hourly_counts_by_hour_pkey;

create table hourly_counts (
    shard integer not null,
    version integer not null,
    bucket timestamptz not null,
    dimension hourly_dimension not null,
    key text collate "C" not null,
    events bigint not null,
    primary key (shard, version, bucket, dimension, key)
) with (fillfactor = 70);
comment on table hourly_counts is 'Events per quarter of an hour, dimension and key. The sum over event_type is every event.';
comment on column hourly_counts.shard is 'Shard of the events.';
comment on column hourly_counts.version is 'Version of the projection.';
comment on column hourly_counts.bucket is 'Start of the quarter of an hour (UTC).';
comment on column hourly_counts.dimension is 'What is counted by.';
comment on column hourly_counts.key is 'The value counted.';
comment on column hourly_counts.events is 'Number of events.';

insert into hourly_counts (shard, version, bucket, dimension, key, events)
select c.shard, c.version, q.bucket, c.dimension, c.key, q.events
from hourly_counts_by_hour as c
cross join lateral (
    values
        (c.hour, c.events_00),
        (c.hour + interval '15 minutes', c.events_15),
        (c.hour + interval '30 minutes', c.events_30),
        (c.hour + interval '45 minutes', c.events_45)
) as q (bucket, events)
-- An all-zero row, which only a manual edit makes, stays a row of 0, so that verify reports it.
where q.events <> 0
    or (q.bucket = c.hour and (c.events_00, c.events_15, c.events_30, c.events_45) = (0, 0, 0, 0))
order by c.shard, c.version, q.bucket, c.dimension, c.key;

drop table hourly_counts_by_hour;
