-- Writes the events of several files of the archive into one, with the columns that they have in common, in their order.
-- $files: their paths; $file: where to write
-- Rows: one (the number of rows).
copy (select * from read_parquet($files::varchar[], hive_partitioning = false)) to $file (
    format parquet, parquet_version v2, compression zstd, compression_level 1, row_group_size 100000
)
