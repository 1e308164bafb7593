-- What one hour of the projection holds, in the shape of hourly_recount.
create or replace function hourly_stored(in_shard integer, in_version integer, in_hour timestamptz)
returns table (bucket timestamptz, dimension hourly_dimension, key text, session_id text, amount bigint)
language sql stable
as $$
    select c.bucket, c.dimension, c.key, null::text, c.events
    from hourly_buckets($1, $2, $3, $3 + interval '1 hour') as c
    union all
    select s.bucket, null, null, s.session_id, 1
    from hourly_sessions as s
    -- `+ 0`: before the table is analyzed, the planner would read the primary key from end to end.
    where s.shard = $1 and s.version + 0 = $2 and hour_of(s.bucket) = $3
$$;
