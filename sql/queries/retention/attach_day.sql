-- Brings the events of a detached day back into the log.
-- $1 day, $2 time before which it is not detached again
-- Rows: one (attached: false when the day is not detached).
select attach_day($1, $2) as attached
