-- Empties the rollups; checkpoints stay where they are.
-- Rows: none.
truncate hourly_counts, hourly_members, hourly_edges, hourly_documents
