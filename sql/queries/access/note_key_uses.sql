-- Notes when keys were last used, at most once a minute for each.
-- $1 prefixes, $2 times of their last use, in the same order
-- Rows: one per key that was changed (prefix).
update keys as k
set last_used_at = u.used_at
from unnest($1::text[], $2::timestamptz[]) as u (prefix, used_at)
where k.prefix = u.prefix and (k.last_used_at is null or k.last_used_at < u.used_at - interval '50 seconds')
returning k.prefix
