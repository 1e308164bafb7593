-- A user's totals, and the user's sessions in a range, the most recent first.
-- $1 user_id, $2 since, $3 until, $4 maximum sessions to name
-- Rows: one per session (session_id; session_first, session_last, session_events: the user's events of the range).
-- Each row repeats the user's totals: first_seen and last_seen, which are starts of quarters of an hour when the event
-- is not kept; days_active, among the UTC days whose rollups are kept; events_in_range; sessions_in_range. One row
-- without a session when only rollups know the user; none when the user is unknown.
with sessions as (
    select
        e.session_id,
        min(e.timestamp) as first_seen,
        max(e.timestamp) as last_seen,
        min(e.timestamp) filter (where e.timestamp >= $2 and e.timestamp < $3) as session_first,
        max(e.timestamp) filter (where e.timestamp >= $2 and e.timestamp < $3) as session_last,
        count(*) filter (where e.timestamp >= $2 and e.timestamp < $3) as session_events,
        array_agg(distinct quarter_of(e.timestamp)) as buckets
    from events as e
    where e.user_id = $1
    group by e.session_id
),
known as (
    select
        min(a.bucket) as first_bucket,
        max(a.bucket) as last_bucket,
        count(distinct date_trunc('day', a.bucket, 'UTC')) filter (where a.is_kept) as days_active
    from (
        -- A user's first row outlives the rollups of its day.
        select m.bucket, m.bucket >= rollups_since(c.shard) as is_kept
        from projections as p
        join checkpoints as c on c.projection = p.projection and c.version = p.live_version
        join hourly_members as m
            on m.shard = c.shard and m.version = c.version and m.kind = 'user' and m.member = $1
        where p.projection = 'hourly'
        union all
        -- Events that are not folded yet are in the log.
        select b.bucket, true from sessions as s cross join lateral unnest(s.buckets) as b (bucket)
    ) as a
)
select
    s.session_id, s.session_first, s.session_last, s.session_events,
    case
        when k.first_bucket = quarter_of(min(s.first_seen) over ()) then min(s.first_seen) over () else k.first_bucket
    end as first_seen,
    coalesce(max(s.last_seen) over (), k.last_bucket) as last_seen,
    k.days_active,
    coalesce(sum(s.session_events) over (), 0)::bigint as events_in_range,
    count(s.session_last) over () as sessions_in_range
from known as k
left join sessions as s on true
where k.first_bucket is not null
order by s.session_last desc nulls last, s.session_id
limit $4
