-- Whether PostgreSQL must judge each event of an hour: a quarantine may leave it out, or its name may have been refused.
-- $1 shard, $2 hour
-- Rows: one (is_quarantined; refused_from: the position from which on names may have been refused, null for none).
select
    has_quarantine($1, $2, hour_after($2)) as is_quarantined,
    (
        select min(r.position)
        from refused_names as r
        where r.shard = $1 and r.hour >= $2::timestamptz - interval '25 hours'
    ) as refused_from
