-- Puts the numbers of an hour, as its file holds them, where found_in_file reads them.
-- $1 shard, $2 hour, $3 events, $4 position_sum, $5 digest_high, $6 digest_low
-- Rows: none.
insert into hours_from_files (shard, hour, events, position_sum, digest_high, digest_low)
values ($1, $2, $3, $4, $5, $6)
