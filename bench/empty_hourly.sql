-- Empties the rollups; checkpoints stay where they are.
-- Rows: none.
truncate hourly_counts, hourly_sessions, hourly_edges, hourly_documents
