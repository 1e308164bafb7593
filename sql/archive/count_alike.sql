-- The events of an hour in a file, counted in two sets at once, as functions/verify/counted_alike.sql counts the rows of
-- the log.
-- $file: path of the file, $shard, $since: start of the hour, $until: its end
-- Rows: two sorts; the columns of the other sort are null. `quarter` of the hour: from 0 to 3.
--   quarter, event_type, tool_name, risk_mode: the number of equal events
--   quarter, session_id, user_id: the quarters of each session with each of its users
select quarter, event_type, tool_name, risk_mode, session_id, user_id, count(*) as events
from (
    select
        epoch_us(timestamp) // 900000000 % 4 as quarter,
        event_type, tool_name, risk_mode, session_id, user_id
    from read_parquet($file, hive_partitioning = false)
    where shard = $shard and timestamp >= $since and timestamp < $until
)
group by grouping sets ((quarter, event_type, tool_name, risk_mode), (quarter, session_id, user_id))
