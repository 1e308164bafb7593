-- Writes the sorted rows into a file. Version 2 has the encodings that make numbers, moments and ids small, so that the
-- first level of zstd does as well as higher ones. Columns of few values get Bloom filters by themselves; ids, which all
-- differ, would need more bytes for a useful one than the rest of a row takes.
-- $file: path of the file
-- Rows: one (the number of rows).
copy sorted to $file (
    format parquet, parquet_version v2, compression zstd, compression_level 1, row_group_size 100000
)
