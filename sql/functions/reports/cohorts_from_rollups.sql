-- As cohorts_from_events without filters and with any event as a return, but read from the projection's member rows
-- and the tails of the log, in one snapshot. Bounds are whole quarters of an hour (UTC). Rows: as cohorts_from_events.
create or replace function cohorts_from_rollups(bounds timestamptz[], by text)
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
        from log_heads as h
        cross join unnest(kinds) as k (kind)
        cross join lateral (
            select m.kind, m.member, m.bucket
            from hourly_members as m
            where m.shard = h.shard and m.version = live and m.kind = k.kind::hourly_member and m.bucket < until
            offset 0  -- one look-up per kind, whatever row count the planner expects
        ) as m
        union all
        select t.kind, t.member, t.bucket
        from log_heads as h
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
