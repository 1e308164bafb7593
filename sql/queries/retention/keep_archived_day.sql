-- Lets the archive keep a day again that was leaving it.
-- $1 day, $2 time before which it does not leave again
-- Rows: one (day), none when the day is not leaving.
update archived_days as a set stage = 'kept', until = $2
where a.day = $1 and a.stage = 'leaving'
returning a.day
