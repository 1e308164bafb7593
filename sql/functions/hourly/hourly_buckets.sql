-- The stored counts of the hours in [since, until), by quarter of an hour. Rows: one per bucket, dimension and key with
-- events. An all-zero row can only be a manual edit: it is returned as 0 events in its first quarter, so that verify
-- reports it.
create or replace function hourly_buckets(
    in_shard integer, in_version integer, since timestamptz, until timestamptz
)
returns table (bucket timestamptz, dimension hourly_dimension, key text, events bigint)
language sql stable
as $$
    select q.bucket, c.dimension, c.key, q.events
    from hourly_counts as c
    cross join lateral (
        values
            (c.hour, c.events_00),
            (c.hour + interval '15 minutes', c.events_15),
            (c.hour + interval '30 minutes', c.events_30),
            (c.hour + interval '45 minutes', c.events_45)
    ) as q (bucket, events)
    where c.shard = $1 and c.version = $2 and c.hour >= $3 and c.hour < $4
        and (
            q.events <> 0
            or (q.bucket = c.hour and (c.events_00, c.events_15, c.events_30, c.events_45) = (0, 0, 0, 0))
        )
$$;
