-- Takes a quarantine out of force for a shard and a UTC day. The transaction also rebuilds the day's hours.
-- $1 shard, $2 day, $3 number
-- Rows: one (day), none when it is not in force.
delete from quarantined_days as d where d.shard = $1 and d.day = $2 and d.quarantine = $3 returning d.day
