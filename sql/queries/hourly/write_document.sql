-- Writes the document of an hour that was verified in the same transaction.
-- $1 shard, $2 version, $3 hour, $4 events, $5 digest_high and $6 digest_low as verified, $7 clock or null
-- Rows: one (written: false when the hour is not over, is empty, has changed since, or has a document already).
select write_document($1, $2, $3, $4, $5, $6, $7) as written
