-- Ends the appends to a day that is open for history.
-- $1 day
-- Rows: one (shut: false when the day is not open for history).
select shut_day($1) as shut
