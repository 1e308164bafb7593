-- Hours of a shard for which the log, a witness, a seal or the projection has rows. Reads only rows of the range, so
-- that a page which cannot be read hides no hours of other pages.
-- $1 shard, $2 version, $3 from or null, $4 to (exclusive) or null, $5 whether also hours that only the log knows
-- Rows: one per hour (hour, events: how many were appended), oldest first.
with recursive member_hours as (
    -- Steps from one hour to the next in the index, instead of reading every member row.
    select min(hour_of(m.bucket)) as hour
    from hourly_members as m
    where hour_of(m.bucket) >= coalesce($3::timestamptz, '-infinity') and hour_of(m.bucket) < coalesce($4::timestamptz, 'infinity')
    union all
    select (
        select min(hour_of(m.bucket))
        from hourly_members as m
        where hour_of(m.bucket) > h.hour and hour_of(m.bucket) < coalesce($4::timestamptz, 'infinity')
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
    from log_days() as d
    cross join generate_series(
        greatest(d.day::timestamp at time zone 'UTC', $3::timestamptz),
        least((d.day + 1)::timestamp at time zone 'UTC', $4::timestamptz) - interval '1 microsecond',
        '1 hour'
    ) as h (hour)
    cross join lateral (
        -- `order by` makes the planner use the primary key, whether or not the table is analyzed.
        select from events as e
        -- The range again, because the planner then leaves out all other days: it opens the files of those that it plans.
        where e.timestamp >= coalesce($3::timestamptz, '-infinity')
            and e.timestamp < case when $5::boolean then coalesce($4::timestamptz, 'infinity') else '-infinity' end
            and e.timestamp >= h.hour and e.timestamp < h.hour + interval '1 hour' and e.shard = $1
        order by e.timestamp
        limit 1
    ) as one
)
select known.hour, sum(known.events)::bigint as events
from known
where known.hour >= coalesce($3::timestamptz, '-infinity') and known.hour < coalesce($4::timestamptz, 'infinity')
group by known.hour
order by known.hour
