-- Seals hours anew that count otherwise than before, behind an amendment; see functions/history/reseal_hours.sql.
-- $1 shard, $2 version, $3 day, $4 hours, $5 kind, $6 reason, $7 asked_by, $8 code version, $9 clock, or null
-- Rows: none.
select reseal_hours($1, $2, $3, $4, $5, $6, $7, $8, $9)
