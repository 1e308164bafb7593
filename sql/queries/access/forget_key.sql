-- Deletes a key that is not valid any more.
-- $1 prefix
-- Rows: one (prefix), none when there is no such key, or when it is valid.
delete from keys
where prefix = $1 and (revoked_at is not null or expires_at <= clock_timestamp())
returning prefix
