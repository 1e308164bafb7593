-- How many events pass the filters.
-- $1 since, $2 to $11 the filters, as event_matches takes them, $12 until
-- Rows: one (total).
select count(*) as total
from events as e
where e.timestamp >= $1 and e.timestamp < $12
    and event_matches(e, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
