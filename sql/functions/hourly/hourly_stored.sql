-- The stored rows of one hour of the projection, in the shape of hourly_recount.
create or replace function hourly_stored(in_shard integer, in_version integer, in_hour timestamptz)
returns table (bucket timestamptz, dimension hourly_dimension, key text, kind hourly_member, member text, amount bigint)
language sql stable
as $$
    select c.bucket, c.dimension, c.key, null::hourly_member, null::text, c.events
    from hourly_buckets($1, $2, $3, $3 + interval '1 hour') as c
    union all
    select m.bucket, null, null, m.kind, m.member, 1
    from hourly_members as m
    -- `+ 0`, because before the table is analyzed the planner would read the whole primary key.
    where m.shard = $1 and m.version + 0 = $2 and hour_of(m.bucket) = $3
$$;
