-- Hours of a shard that are over at `moment`, folded completely, and have changed since they were verified or lack their
-- document. An hour that was verified less than `patience` ago is left out.
-- Rows: at most `most`, one per hour (verified_at: null when it never was): never verified hours first, the newest of them
-- first, then the longest ago verified.
create or replace function due_hours(
    in_shard integer, in_version integer, patience interval, moment timestamptz, most integer
)
returns table (hour timestamptz, events bigint, verified_at timestamptz)
language sql stable
as $$
    select w.hour, w.events, p.verified_at
    from log_heads as s
    cross join lateral appended_hours(s.shard, s.horizon, 'infinity') as w
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
        and w.hour <= $4 - interval '1 hour'
        and (p.verified_at is null or p.verified_at <= $4 - $3)
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
$$;
