-- As read_trend with users named, for several shards. Users are counted across them, from member rows and all tails,
-- because a user may be in more than one. Rows: those of read_trend for each shard, without users, and then users and
-- new_users for all of them. All come from one snapshot.
create or replace function read_people(
    in_shards integer[], bounds timestamptz[], named text[], keys text[] default null
)
returns table (bucket integer, measure text, key text, amount bigint)
language plpgsql stable
-- Planning for the actual values would take longer than reading.
set plan_cache_mode = 'force_generic_plan'
as $$
#variable_conflict use_column
declare
    live constant integer := (select p.live_version from projections as p where p.projection = 'hourly');
    since constant timestamptz := bounds[1];
    until constant timestamptz := bounds[cardinality(bounds)];
begin
    return query
    with tails as materialized (
        select t.member, t.bucket as quarter
        from unnest(in_shards) as h (shard)
        cross join lateral hourly_standing(h.shard) as s
        cross join lateral hourly_tail(h.shard, s.version, s.folded, s.head, '{user}') as t
        where s.folded < s.head and t.member is not null and t.bucket < until
    ),
    -- The bounds as a column of a row, because each use of an array variable would copy the array.
    marks as materialized (select bounds as starts),
    quarters as (
        select m.member, m.bucket as quarter
        from hourly_members as m
        -- `+ 0`, because before the table is analyzed the planner would read the whole primary key.
        where m.version + 0 = live and m.kind = 'user' and hour_of(m.bucket) >= hour_of(since) and hour_of(m.bucket) < until
            and m.bucket >= since and m.bucket < until and m.shard + 0 = any (in_shards)
        union all
        select t.member, t.quarter from tails as t where t.quarter >= since
    ),
    active as materialized (
        select distinct width_bucket(q.quarter, m.starts) as bucket, q.member
        from quarters as q
        cross join marks as m
    ),
    entered as (
        select a.member, min(a.bucket) as bucket from active as a group by a.member
    ),
    first_seen as (
        select e.bucket
        from entered as e
        where e.member not in (select t.member from tails as t where t.quarter < since)
            and not exists (
                select
                from unnest(in_shards) as h (shard)
                cross join lateral (
                    select
                    from hourly_members as m
                    where m.shard = h.shard and m.version = live and m.kind = 'user' and m.member = e.member
                        and m.bucket < since
                    limit 1  -- one look-up per shard, whatever row count the planner expects
                ) as earlier
            )
    )
    select t.bucket, t.measure, t.key, t.amount
    from unnest(in_shards) as h (shard)
    cross join lateral read_trend(h.shard, bounds, array_remove(named, 'users'), keys) as t
    union all
    select a.bucket, 'users', null, count(*) from active as a group by a.bucket
    union all
    select f.bucket, 'new_users', null, count(*) from first_seen as f group by f.bucket;
end
$$;
