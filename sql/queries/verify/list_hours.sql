-- Hours of a shard for which the log, a witness, a seal or the projection has rows.
-- $1 shard, $2 version, $3 from or null, $4 to (exclusive) or null
-- Rows: one per hour (hour, events: how many were appended), oldest first.
with recursive member_hours as (
    -- Steps from one hour to the next in the index, instead of reading every member row.
    select min(hour_of(m.bucket)) as hour from hourly_members as m
    union all
    select (
        select min(hour_of(m.bucket))
        from hourly_members as m
        where hour_of(m.bucket) > h.hour
    )
    from member_hours as h
    where h.hour is not null
),
known as (
    select l.hour, l.events from hour_ledger as l where l.shard = $1
    union all
    select r.hour, r.events from receipts as r where r.shard = $1
    union all
    select s.hour, 0 from hour_seals as s where s.shard = $1
    union all
    -- Days whose seals are all gone.
    select r.day::timestamp at time zone 'UTC', 0
    from retired_days as r
    where r.shard = $1 and r.events <> 0
        and not exists (
            select from hour_seals as s
            where s.shard = r.shard
                and s.hour >= r.day::timestamp at time zone 'UTC' and s.hour < (r.day + 1)::timestamp at time zone 'UTC'
        )
    union all
    select d.hour, 0 from hourly_documents as d where d.shard = $1 and d.version = $2
    union all
    select c.hour, 0 from hourly_counts as c where c.shard = $1 and c.version = $2
    union all
    select hour_of(e.bucket), 0 from hourly_edges as e where e.shard = $1 and e.version = $2
    union all
    select h.hour, 0
    from member_hours as h
    where exists (
        select from hourly_members as m where hour_of(m.bucket) = h.hour and m.shard = $1 and m.version = $2
    )
    union all
    -- Hours with an event in the log, even if no witness counts it.
    select h.hour, 0
    from (
        select generate_series(
            (select hour_of(min(timestamp)) from events),
            (select max(timestamp) from events),
            '1 hour'
        ) as hour
    ) as h
    cross join lateral (
        -- `order by` makes the planner use the primary key, whether or not the table is analyzed.
        select from events as e
        where e.timestamp >= h.hour and e.timestamp < h.hour + interval '1 hour' and e.shard = $1
        order by e.timestamp
        limit 1
    ) as one
)
select known.hour, sum(known.events)::bigint as events
from known
where ($3::timestamptz is null or known.hour >= $3) and ($4::timestamptz is null or known.hour < $4)
group by known.hour
order by known.hour
