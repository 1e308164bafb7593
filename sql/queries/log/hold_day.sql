-- Keeps the day of an hour from being dropped until the transaction ends.
-- $1 hour
-- Rows: one (held: false when the day has no partition).
select hold_day($1) as held
