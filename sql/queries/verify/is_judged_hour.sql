-- Whether PostgreSQL must judge each event of an hour: a quarantine may leave it out, or its name may have been refused.
-- $1 shard, $2 hour
-- Rows: one (is_judged).
select has_quarantine($1, $2, hour_after($2)) or has_refused_names($1, $2) as is_judged
