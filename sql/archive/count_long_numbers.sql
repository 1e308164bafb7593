-- The number of events in a file that may hold a long number.
-- $file: path of the file
-- Rows: one (long_numbers).
select count_if(long_numbers) as long_numbers from read_parquet($file, hive_partitioning = false)
