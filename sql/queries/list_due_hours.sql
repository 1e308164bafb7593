-- Closed hours of a shard that are wholly folded and not verified as they are now, but those verified a moment ago.
-- $1 shard, $2 version, $3 patience: the least time between two verifications of an hour, $4 clock or null, $5 limit
-- Rows: at most $5, one per hour (hour, events), those never verified first, then the newest.
select w.hour, w.events
from (
    select a.hour, sum(a.events)::bigint as events, sum(a.digest_high) as digest_high, sum(a.digest_low) as digest_low
    from (
        select l.hour, l.events, l.digest_high, l.digest_low from hour_ledger as l where l.shard = $1
        union all
        select r.hour, r.events, r.digest_high, r.digest_low from receipts as r where r.shard = $1
    ) as a
    group by a.hour
) as w
join log_heads as s on s.shard = $1 and w.hour >= s.horizon
join checkpoints as c on c.shard = $1 and c.projection = 'hourly' and c.version = $2
left join hour_proofs as p on p.shard = $1 and p.projection = 'hourly' and p.version = $2 and p.hour = w.hour
left join hourly_documents as d on d.shard = $1 and d.version = $2 and d.hour = w.hour
cross join (select coalesce($4::timestamptz, clock_timestamp()) as moment) as clock
where w.hour <= clock.moment - interval '1 hour'
    and (p.verified_at is null or p.verified_at <= clock.moment - $3::interval)
    and (
        (p.events, p.digest_high, p.digest_low) is distinct from (w.events, w.digest_high, w.digest_low)
        or (p.state = 'verified' and d.hour is null)
    )
    and not exists (
        select from receipts as r where r.shard = $1 and r.last_position > c.position and r.hour = w.hour
    )
order by p.verified_at nulls first, w.hour desc
limit $5
