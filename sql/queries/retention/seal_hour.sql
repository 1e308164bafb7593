-- Seals an hour that was verified.
-- $1 shard, $2 version, $3 hour, $4 events, $5 digest_high and $6 digest_low as verified, $7 code version, $8 clock or null
-- Rows: one (sealed: false when the hour still takes events, has changed since, is not folded by every version, or the
-- version has ended).
select seal_hour($1, $2, $3, $4, $5, $6, $7, $8) as sealed
