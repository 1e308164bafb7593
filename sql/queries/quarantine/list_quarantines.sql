-- All quarantines.
-- Rows: one per quarantine (number, shards, since, until, condition, reason, asked_by, put_at, lifted_at; days: how many
-- UTC days it is in force on), in the order of their numbers.
select
    q.number, q.shards, q.since, q.until, q.condition, q.reason, q.asked_by, q.put_at, q.lifted_at,
    (select count(distinct d.day) from quarantined_days as d where d.quarantine = q.number) as days
from quarantines as q
order by q.number
