-- The end of the newest day that retention took out of the log.
-- Rows: one (retired_since: null when it took none).
select (select max(r.day) + 1 from retired_days as r)::timestamp at time zone 'UTC' as retired_since
