-- Mends the edges and the document of an hour whose events are gone.
-- $1 shard, $2 version, $3 hour
-- Rows: one (rows_written).
select mend_sealed_hour($1, $2, $3) as rows_written
