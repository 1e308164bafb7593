-- Hours of a shard that are over, folded completely, and have changed since they were verified or lack their document.
-- An hour that was verified less than $3 ago is left out.
-- $1 shard, $2 version, $3 patience: minimum time between two verifications of an hour, $4 clock or null, $5 limit
-- Rows: at most $5, one per hour (hour, events): never verified hours first, the newest of them first, then the
-- longest ago verified.
select w.hour, w.events
from log_heads as s
cross join lateral appended_hours(s.shard, s.horizon, 'infinity') as w
cross join (select coalesce($4::timestamptz, clock_timestamp()) as moment) as clock
left join lateral (
    select h.state, h.events, h.digest_high, h.digest_low, h.verified_at
    from hour_proofs as h
    where h.shard = $1 and h.projection = 'hourly' and h.version = $2 and h.hour = w.hour
    offset 0  -- one look-up per hour, whatever row count the planner expects
) as p on true
left join lateral (
    select true as is_there
    from hourly_documents as h
    where h.shard = $1 and h.version = $2 and h.hour = w.hour
    offset 0  -- as above
) as d on true
where s.shard = $1
    and w.hour <= clock.moment - interval '1 hour'
    and (p.verified_at is null or p.verified_at <= clock.moment - $3::interval)
    and (
        (p.events, p.digest_high, p.digest_low) is distinct from (w.events, w.digest_high, w.digest_low)
        or (p.state = 'verified' and d.is_there is null)
    )
    and w.hour <> all (array(
        select distinct r.hour
        from receipts as r
        join checkpoints as c
            on c.shard = r.shard and c.projection = 'hourly' and c.version = $2 and r.last_position > c.position
        where r.shard = $1
    ))
order by p.verified_at nulls first, w.hour desc
limit $5
