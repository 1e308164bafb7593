-- Revokes a key.
-- $1 prefix
-- Rows: one (prefix, revoked_at: the first time that it was revoked), none when there is no such key.
update keys set revoked_at = coalesce(revoked_at, clock_timestamp())
where prefix = $1
returning prefix, revoked_at
