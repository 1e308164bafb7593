-- The last proof of each hour in [since, until) in one shard, with the count and the digest of all events that were
-- appended to the hour.
-- Rows: one per hour that has events, a proof or a seal:
--   events, digest_high, digest_low: what was appended; the digests are numeric sums
--   state: null when the hour was never verified; a kept hour is damaged when its file is known to be
--   current: nothing was appended since the proof
--   sealed_at: null unless the rows have left the log
--   document: the sealed rollup, null unless the stored rollup is gone, too
create or replace function proofs_of_hours(
    in_shard integer, in_projection text, since timestamptz, until timestamptz
)
returns table (
    hour timestamptz,
    events bigint,
    digest_high numeric,
    digest_low numeric,
    state text,
    current boolean,
    verified_at timestamptz,
    sealed_at timestamptz,
    document text
)
language sql stable
as $$
    with appended as (
        select a.hour, a.events, a.digest_high, a.digest_low from appended_hours($1, $3, $4) as a
    ),
    proven as (
        select p.hour, p.state, p.events, p.digest_high, p.digest_low, p.verified_at, p.differences
        from projections as v
        join hour_proofs as p on p.projection = v.projection and p.version = v.live_version
        where v.projection = $2 and p.shard = $1 and p.hour >= $3 and p.hour < $4
    ),
    -- A seal replaces the hour's witnesses once the events are gone.
    sealed as (
        select s.hour, s.events, s.digest_high, s.digest_low, s.sealed_at, s.document
        from seals_in_force($1, $3, $4) as s
        join retired_days as d on d.shard = s.shard and d.day = (s.hour at time zone 'UTC')::date
    )
    select
        h.hour,
        coalesce(s.events, a.events, 0),
        coalesce(s.digest_high, a.digest_high, 0),
        coalesce(s.digest_low, a.digest_low, 0),
        -- An hour that was verified before its events were dropped has been sealed since.
        case
            when k.hour is not null then state_of_kept(p.state, p.verified_at, p.differences, k.wrong, k.proven_at)
            when d.day is null or p.state = any (failed_states()) then p.state
            when p.state is not null or s.hour is not null then 'sealed'
        end,
        d.day is not null
            or p.state is not distinct from 'broken'
            or coalesce(
                (p.events, p.digest_high, p.digest_low)
                = (coalesce(a.events, 0), coalesce(a.digest_high, 0), coalesce(a.digest_low, 0)),
                false
            ),
        coalesce(p.verified_at, s.sealed_at),
        s.sealed_at,
        case when s.hour < t.rollups_since then s.document::text end
    from (
        select a.hour from appended as a union select p.hour from proven as p union select s.hour from sealed as s
    ) as h
    left join appended as a on a.hour = h.hour
    left join proven as p on p.hour = h.hour
    left join sealed as s on s.hour = h.hour
    left join kept_hours($1, $3, $4) as k on k.hour = h.hour
    left join retired_days as d on d.shard = $1 and d.day = (h.hour at time zone 'UTC')::date
    left join shard_totals as t on t.shard = $1
$$;
