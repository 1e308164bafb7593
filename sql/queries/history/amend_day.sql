-- Adds what came into a day to a shard's chain; see functions/history/amend_day.sql.
-- $1 shard, $2 version, $3 day, $4 hours as verified, $5 their events, $6 and $7 their digests, $8 code version, $9 clock or
-- null
-- Rows: one (hindrance: null when all hours are sealed as they are).
select amend_day($1, $2, $3, $4, $5, $6, $7, $8, $9) as hindrance
