-- How many steps of erasures changed an hour of a shard after a moment.
-- $1 shard, $2 hour, $3 moment
-- Rows: one (steps).
select count(*) as steps
from amendments as a
where a.shard = $1 and a.day = ($2::timestamptz at time zone 'UTC')::date and a.kind = 'erasure' and a.amended_at > $3
    and a.hours::text like '%' || hour_text($2) || '%'
