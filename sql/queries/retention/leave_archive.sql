-- Takes days out of the archive that are past the retention of events (R13): from now on no answer shows them. Their files
-- stay for the grace.
-- $1 retention of events in days, $2 moment: the time that passed, $3 time before which the files are not deleted,
-- $4 whether all at once, and not only the oldest day
-- Rows: one per day (day, events: of all shards).
with due as (
    select a.day
    from archived_days as a
    where a.stage = 'kept' and a.until <= $2
        and (a.day + 1)::timestamp at time zone 'UTC'
            <= date_trunc('day', $2::timestamptz, 'UTC') - make_interval(hours => 24 * $1)
    order by a.day
    limit case when $4::boolean then null else 1 end
    for update
)
update archived_days as a set stage = 'leaving', until = $3
from due
where a.day = due.day
returning a.day, coalesce((select sum(r.events) from retired_days as r where r.day = a.day), 0)::bigint as events
