-- Which of some days take no events any more.
-- $1 days
-- Rows: one per such day (day).
select d.day
from unnest($1::date[]) as d (day)
where not exists (select from log_heads as h where h.horizon < (d.day + 1)::timestamp at time zone 'UTC')
order by d.day
