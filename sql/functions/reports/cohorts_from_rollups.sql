-- How many owners came back, by the period of their first event, read from the projection's member rows and the tails of
-- the log, in one snapshot. An owner is a user or, when `by` is visitor, also a session that never names a user. The nth
-- period is [bounds[n], bounds[n + 1]); bounds are whole quarters of an hour (UTC). An owner that was there before the
-- first period belongs to no cohort. Several shards at once, because a user
-- may be in more than one.
-- Rows: one per cohort and period with any owner:
--   owners: owners of `cohort` present in `period`; last_owners: those among them that were not present afterwards
create or replace function cohorts_from_rollups(in_shards integer[], bounds timestamptz[], by text)
returns table (cohort integer, period integer, owners bigint, last_owners bigint)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    live constant integer := (select p.live_version from projections as p where p.projection = 'hourly');
    until constant timestamptz := bounds[cardinality(bounds)];
    kinds constant text[] := case when by = 'user' then '{user}' else '{user,session,identified}' end;
begin
    return query
    with members as (
        select m.kind, m.member, m.bucket
        from unnest(in_shards) as h (shard)
        cross join unnest(kinds) as k (kind)
        cross join lateral (
            select m.kind, m.member, m.bucket
            from hourly_members as m
            where m.shard = h.shard and m.version = live and m.kind = k.kind::hourly_member and m.bucket < until
            offset 0  -- one look-up per kind, whatever row count the planner expects
        ) as m
        union all
        select t.kind, t.member, t.bucket
        from unnest(in_shards) as h (shard)
        cross join lateral hourly_standing(h.shard) as s
        cross join lateral hourly_tail(h.shard, s.version, s.folded, s.head, kinds) as t
        where s.folded < s.head and t.member is not null and t.bucket < until
    ),
    -- The bounds as a column of a row, because each use of an array variable would copy the array.
    marks as materialized (select bounds as starts),
    active as (
        select distinct m.kind, m.member, width_bucket(m.bucket, k.starts) as period
        from members as m
        cross join marks as k
    ),
    -- A window function, because for a join the planner would misjudge the row counts and compare every row with every
    -- row.
    known as (
        select a.*, bool_or(a.kind = 'identified') over (partition by a.kind = 'user', a.member) as is_identified
        from active as a
    ),
    entered as (
        select
            k.period,
            min(k.period) over owner as cohort,
            lead(k.period) over (owner order by k.period) is null as is_last
        from known as k
        where k.kind = 'user' or (k.kind = 'session' and not k.is_identified)
        window owner as (partition by k.kind, k.member)
    )
    select e.cohort, e.period, count(*), count(*) filter (where e.is_last)
    from entered as e
    where e.cohort >= 1
    group by e.cohort, e.period;
end
$$;
