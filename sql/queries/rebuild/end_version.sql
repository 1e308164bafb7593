-- Ends a version of a projection that is not live.
-- $1 projection, $2 version
-- Rows: one (ended: false when the version is live).
select end_version($1, $2) as ended
