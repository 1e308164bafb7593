-- Keeps the server from using several processes for one query, until the transaction ends.
-- Rows: none.
set local max_parallel_workers_per_gather = 0
