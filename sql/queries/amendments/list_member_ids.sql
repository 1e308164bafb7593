-- All ids of a kind that rollups name, and those of rows in days that have a quarantine, which rollups may leave out.
-- $1 shards, $2 kind (user or session)
-- Rows: one per id (id).
select distinct m.member as id
from hourly_members as m
where m.shard = any ($1::integer[]) and m.kind = (members_of($2))[1]
union
select e.id
from quarantined_days as d
cross join lateral (
    select distinct case $2 when 'user' then e.user_id else e.session_id end as id
    from events as e
    where e.shard = d.shard and e.timestamp >= d.day::timestamp at time zone 'UTC'
        and e.timestamp < (d.day + 1)::timestamp at time zone 'UTC'
) as e
where d.shard = any ($1::integer[]) and e.id is not null
