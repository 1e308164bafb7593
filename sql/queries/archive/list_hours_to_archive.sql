-- Hours of a shard whose events are to be written into the archive: they are verified as they are now, have their
-- document and are still in the log, and no file holds them as they are. A day that is open for history is left out.
-- $1 shard, $2 version, $3 hours to leave out, $4 limit
-- Rows: at most $4, one per hour (hour, events, position_sum, digest_high, digest_low), newest first.
select s.hour, s.events, s.position_sum, s.digest_high, s.digest_low
from archive_standing($1, '-infinity', 'infinity') as s
cross join lateral (
    select h.events, h.digest_high, h.digest_low
    from hour_proofs as h
    where h.shard = $1 and h.projection = 'hourly' and h.version = $2 and h.hour = s.hour and h.state = 'verified'
    offset 0  -- one look-up per hour, whatever row count the planner expects
) as p
cross join lateral (
    select from hourly_documents as h where h.shard = $1 and h.version = $2 and h.hour = s.hour
    offset 0  -- as above
) as d
where not s.current
    and (p.events, p.digest_high, p.digest_low) = (s.events, s.digest_high, s.digest_low)
    and s.hour <> all ($3::timestamptz[])
    and (s.hour at time zone 'UTC')::date = any (array(
        select l.day from log_days() as l except select o.day from opened_days as o
    ))
order by s.hour desc
limit $4
