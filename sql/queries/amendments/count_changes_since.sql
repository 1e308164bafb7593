-- How many amendments behind a place in a shard's chain say that an hour holds other events than were appended: erasures, and
-- damage that was accepted. By places, because an amendment is visible only after its time, and an older snapshot may be
-- younger than that.
-- $1 shard, $2 hour, $3 place
-- Rows: one (amendments).
select count(*) as amendments
from amendments as a
where a.shard = $1 and a.day = ($2::timestamptz at time zone 'UTC')::date and a.kind in ('erasure', 'accepted')
    and a.sequence > $3 and a.hours::text like '%' || hour_text($2) || '%'
