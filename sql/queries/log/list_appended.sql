-- What was appended to each hour of a shard since a moment; see functions/log/appended_hours.sql.
-- $1 shard, $2 from, or null: the horizon
-- Rows: one per hour (hour, events, digest_high, digest_low).
select w.hour, w.events, w.digest_high, w.digest_low
from log_heads as s
cross join lateral appended_hours(s.shard, coalesce($2::timestamptz, s.horizon), 'infinity') as w
where s.shard = $1
