-- Ends a sign-in.
-- $1 prefix
-- Rows: one (prefix), none when there is no such sign-in.
delete from sign_ins
where prefix = $1
returning prefix
