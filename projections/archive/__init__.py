"""Writes the archive: verified hours and closed days as Parquet files, each proven (R10)."""
