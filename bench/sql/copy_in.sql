-- What the log's appends are measured against: the same rows, in one statement and one commit.
-- Rows: none; reads them as text from the client.
copy bench_copied from stdin
