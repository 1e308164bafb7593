-- Whether a quarantine may leave out events of an hour.
-- $1 shard, $2 hour
-- Rows: one (is_quarantined).
select has_quarantine($1, $2, hour_after($2)) as is_quarantined
