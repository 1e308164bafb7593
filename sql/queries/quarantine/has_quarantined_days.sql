-- Whether a quarantine is in force for any of some shards on any UTC day of a range.
-- $1 shards, $2 from, $3 to (inclusive)
-- Rows: one (found).
select exists (
    select
    from quarantined_days as d
    where d.shard = any ($1::integer[])
        and d.day between ($2::timestamptz at time zone 'UTC')::date and ($3::timestamptz at time zone 'UTC')::date
) as found
