-- Where a UTC day stands that history may come into (R11). moment: the time that passed, null for the last reading.
-- Rows: one:
--   state: opened, in the log, detached, kept (only the archive has its events), leaving, gone, or new: it never had events
--   hindrance: why no history can come in, null when it can
--   passes: the hindrance passes by itself
--   kept_until: when its raw events will have been kept for as long as retention says; before the moment, only its rollups
--     will stay
create or replace function history_day(in_day date, moment timestamptz)
returns table (state text, hindrance text, passes boolean, kept_until timestamptz)
language sql stable
as $$
    select
        d.state,
        case
            when d.state = 'opened' then null
            when exists (select from log_heads as h where h.horizon < d.until) then 'the log takes its events, or takes them soon'
            when d.until <= p.today - make_interval(hours => 24 * r.rollup_days)
                then 'rollups of that time are past their retention of ' || r.rollup_days || ' days'
            -- Also under a retention that was shorter than the one in force.
            when d.since < k.since
                then 'rollups before ' || to_char(k.since at time zone 'UTC', 'YYYY-MM-DD') || ' were deleted'
            when d.state = 'gone' then 'events of that time are gone for good'
            when d.state = 'leaving' then 'events of that time are leaving the archive'
            when exists (select from checkpoints as c where c.stage = 'filling') then 'a rebuild is under way'
        end,
        d.state not in ('gone', 'leaving')
            and d.until > p.today - make_interval(hours => 24 * r.rollup_days)
            and d.since >= k.since,
        d.until + make_interval(hours => 24 * r.event_days)
    from (
        select
            $1::timestamp at time zone 'UTC' as since,
            ($1 + 1)::timestamp at time zone 'UTC' as until,
            case
                when exists (select from opened_days as o where o.day = $1) then 'opened'
                when exists (select from log_days() as l where l.day = $1) then 'in the log'
                when exists (select from leaving_days as l where l.day = $1 and l.stage = 'detached') then 'detached'
                when exists (select from archived_days as a where a.day = $1 and a.stage = 'kept') then 'kept'
                when exists (select from archived_days as a where a.day = $1) then 'leaving'
                when exists (select from retired_days as g where g.day = $1 and g.events <> 0) then 'gone'
                else 'new'
            end as state
    ) as d
    cross join (select max(t.rollups_since) as since from shard_totals as t) as k
    cross join retention_in_force as r
    cross join log_clock as c
    cross join lateral (select date_trunc('day', coalesce($2, c.known_at, clock_timestamp()), 'UTC') as today) as p
$$;
