-- Where quarantines are in force for shards in a range.
-- $1 shards, $2 from, $3 to (exclusive)
-- Rows: one per quarantine, shard and UTC day (number, conditions: JSON, shard, since, until).
select
    q.number, q.conditions::text as conditions, d.shard,
    greatest(q.since, d.day::timestamp at time zone 'UTC') as since,
    least(q.until, (d.day + 1)::timestamp at time zone 'UTC') as until
from quarantined_days as d
join quarantines as q on q.number = d.quarantine
where d.shard = any ($1::integer[]) and q.since < $3 and q.until > $2
    and d.day::timestamp at time zone 'UTC' < $3 and (d.day + 1)::timestamp at time zone 'UTC' > $2
order by q.number, d.shard, d.day
