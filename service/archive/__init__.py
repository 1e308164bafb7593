"""Reads the archive: DuckDB, in a process of its own, answers every question about raw events."""
