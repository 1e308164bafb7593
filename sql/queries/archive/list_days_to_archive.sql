-- Days of a shard that are over and quiet, and whose hours are in more than one file. Every hour of such a day is
-- current in a file, or its verification failed. A day that has left the log is left alone: nothing reads its files. So is
-- one that is open for history.
-- $1 shard, $2 version, $3 patience: how long no file of the day was written, $4 patience with a day that has a file of
-- its own, $5 clock or null, $6 days to leave out: their starts, $7 limit
-- Rows: at most $7, one per day (since: its start), newest first.
select d.since
from (
    select
        date_trunc('day', s.hour, 'UTC') as since,
        s.file,
        s.written_at,
        s.of_day,
        s.current,
        p.failed is true as failed
    from archive_standing($1, '-infinity', 'infinity') as s
    left join lateral (
        select (h.events, h.digest_high, h.digest_low) = (s.events, s.digest_high, s.digest_low) as failed
        from hour_proofs as h
        where h.shard = $1 and h.projection = 'hourly' and h.version = $2 and h.hour = s.hour
            and h.state = any (failed_states())
        offset 0  -- one look-up per hour, whatever row count the planner expects
    ) as p on true
) as d
cross join (select coalesce($5::timestamptz, clock_timestamp()) as moment) as clock
where d.since <> all ($6::timestamptz[]) and d.since <= clock.moment - interval '1 day'
    and d.since <> all (array(select r.day::timestamp at time zone 'UTC' from retired_days as r where r.shard = $1))
    and d.since <> all (array(select o.day::timestamp at time zone 'UTC' from opened_days as o))
group by d.since, clock.moment
having bool_and(d.current or d.failed)
    and count(distinct d.file) filter (where d.current) > 1
    and max(d.written_at) filter (where d.current)
        <= clock.moment - case when bool_or(d.of_day) then $4::interval else $3::interval end
order by d.since desc
limit $7
