-- Hours that are due for verification, in several shards; see functions/verify/due_hours.sql.
-- $1 shards, $2 the version of each, $3 patience: minimum time between two verifications of an hour, $4 clock or null,
-- $5 limit
-- Rows: at most $5 of each shard, one per hour (shard, version, hour, events), by shard, the most urgent first.
select s.shard, s.version, d.hour, d.events
from unnest($1::integer[], $2::integer[]) with ordinality as s (shard, version, place)
cross join (select coalesce($4::timestamptz, clock_timestamp()) as moment) as clock
cross join lateral due_hours(s.shard, s.version, $3, clock.moment, $5) as d
order by s.place, d.verified_at nulls first, d.hour desc
