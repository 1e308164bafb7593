-- The rows that one hour of the projection should have, recounted from its raw events up to a position (R4).
-- Rows are of two sorts:
--   dimension, key: `amount` events in `bucket`
--   kind, member:   the member is active in `bucket`
create or replace function hourly_recount(in_shard integer, in_hour timestamptz, upto bigint)
returns table (
    bucket timestamptz, dimension hourly_dimension, key text, kind hourly_member, member text, amount bigint
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    with counted as materialized (
        select
            c.bucket,
            -- A function's columns lose the collation of the table's.
            c.event_type collate "C" as event_type,
            c.tool_name collate "C" as tool_name,
            c.risk_mode collate "C" as risk_mode,
            c.session_id collate "C" as session_id,
            c.user_id collate "C" as user_id,
            c.events
        from counted_alike(in_shard, in_hour, upto) as c
    ),
    active as (
        select distinct c.bucket, a.kind, a.member
        from counted as c
        cross join lateral hourly_active(c.session_id, c.user_id) as a
        where c.session_id is not null and (a.kind = 'session' or in_hour >= (select people_since(in_shard)))
    )
    select c.bucket, k.dimension, k.key, null::hourly_member, null::text, sum(c.events)::bigint
    from counted as c
    cross join lateral hourly_keys(c.event_type, c.tool_name, c.risk_mode) as k
    where c.session_id is null
    group by c.bucket, k.dimension, k.key
    union all
    select a.bucket, null, null, a.kind, a.member, 1 from active as a;
end
$$;
