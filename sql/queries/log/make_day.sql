-- Makes the partition of one UTC day.
-- $1 day
-- Rows: one (made: false when it existed).
select make_day($1) as made
