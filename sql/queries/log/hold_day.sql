-- Locks the day of an hour, so that it is not dropped before the transaction ends.
-- $1 hour
-- Rows: one (held: false when the day has no partition).
select hold_day($1) as held
