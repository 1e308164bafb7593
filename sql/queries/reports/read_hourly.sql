-- The fresh rollups of one shard; see functions/reports/read_hourly.sql.
-- $1 shard, $2 from, $3 to (exclusive), $4 maximum keys per hour and dimension, or null for all
-- Rows: one per measure, hour and key (measure, hour, key, amount).
select measure, hour, key, amount
from read_hourly($1, $2, $3, $4)
