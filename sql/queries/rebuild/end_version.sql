-- Ends a version of a projection that does not answer reads.
-- $1 projection, $2 version
-- Rows: one (ended: false when it answers reads).
select end_version($1, $2) as ended
