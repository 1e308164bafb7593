-- The hours of a shard in a range that a file holds as they are.
-- $1 shard, $2 from, $3 to (exclusive)
-- Rows: one per hour (hour, events, position_sum, digest_high, digest_low, file, property_columns: JSON), oldest first.
select
    s.hour, s.events, s.position_sum, s.digest_high, s.digest_low, s.file,
    f.property_columns::text as property_columns
from archive_standing($1, $2, $3) as s
join archive_files as f on f.file = s.file
where s.current
order by s.hour
