-- The peer of the log's appends: copies the same rows, in one statement and one commit.
-- Rows: none; reads them as text from the client.
copy bench_copied from stdin
