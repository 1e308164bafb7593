-- The definition of a quarantine.
-- $1 number
-- Rows: one (number, shards, since, until, reason, lifted_at), or none.
select q.number, q.shards, q.since, q.until, q.reason, q.lifted_at from quarantines as q where q.number = $1
