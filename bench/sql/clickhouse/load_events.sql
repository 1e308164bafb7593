-- Reads the events from the archive's files.
-- {files:String}: a pattern of their paths
-- Rows: none.
insert into bench.events
select session_id, user_id, event_type, tool_name, timestamp, position, properties
from file({files:String}, Parquet)
settings max_threads = 2, max_insert_threads = 1, use_hive_partitioning = 0
