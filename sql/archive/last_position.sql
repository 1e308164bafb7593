-- The last position of an hour's events in a file.
-- $file: path of the file, $shard, $since: start of the hour, $until: its end
-- Rows: one, null when there are none.
select max(position)
from read_parquet($file, hive_partitioning = false)
where shard = $shard and timestamp >= $since and timestamp < $until
