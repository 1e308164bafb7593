-- Puts a quarantine in force for a shard and a UTC day. The transaction also rebuilds the day's hours.
-- $1 shard, $2 day, $3 number
-- Rows: one (day), none when it is in force.
insert into quarantined_days (shard, day, quarantine)
values ($1, $2, $3)
on conflict do nothing
returning day
