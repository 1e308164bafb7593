"""The archive (R10): the log in Parquet files. What its writer and its reader share, and their DuckDB statements."""
