-- The files of the archive with hours of days that have no rows any more. Until the transaction ends, none is deleted.
-- Rows: one per file (file), oldest first.
select h.file
from archived_days as d
join archive_hours as h on (h.hour at time zone 'UTC')::date = d.day
group by h.file
order by min(h.hour), h.file
