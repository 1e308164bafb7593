-- The events of some hours of a file, to put them back into the log.
-- $file: path of the file, $hours: whole hours since 1970
-- Rows: one per event, with the columns that are stored; moments are microseconds since 1970.
select
    shard,
    position,
    event_id,
    session_id,
    user_id,
    event_type,
    tool_name,
    action,
    properties,
    demo_mode,
    epoch_us(timestamp) as timestamp,
    epoch_us(received_at) as received_at
from read_parquet($file, hive_partitioning = false)
where list_contains($hours::bigint[], epoch_us(timestamp) // 3600000000)
