-- Records that a file holds hours of a shard, those that are still as the file has them. Records none when one is not, and
-- events of the day were erased: the file may hold them.
-- $1 shard, $2 file, $3 hours, $4 events, $5 position sums, $6 and $7 digests, $8 clock or null
-- Rows: one per hour that was recorded (hour).
insert into archive_hours (shard, hour, file, events, position_sum, digest_high, digest_low, proven_at)
select
    $1::integer, n.hour, $2::text, n.events, n.position_sum, n.digest_high, n.digest_low,
    coalesce($8::timestamptz, clock_timestamp())
from unnest($3::timestamptz[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[]) as n (
    hour, events, position_sum, digest_high, digest_low
)
join appended_numbers($1, (select min(h) from unnest($3::timestamptz[]) as h), 'infinity') as a on a.hour = n.hour
where (a.events, a.position_sum, a.digest_high, a.digest_low)
    = (n.events, n.position_sum, n.digest_high, n.digest_low)
    and not (
        exists (
            select from erasure_steps as s
            where s.shard = $1 and s.day = (n.hour at time zone 'UTC')::date
        )
        and exists (
            select
            from unnest($3::timestamptz[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[]) as o (
                hour, events, position_sum, digest_high, digest_low
            )
            cross join appended($1, o.hour) as b
            where (b.events, b.position_sum, b.digest_high, b.digest_low)
                <> (o.events, o.position_sum, o.digest_high, o.digest_low)
        )
    )
order by n.hour
on conflict (shard, hour) do update set
    file = excluded.file,
    events = excluded.events,
    position_sum = excluded.position_sum,
    digest_high = excluded.digest_high,
    digest_low = excluded.digest_low,
    proven_at = excluded.proven_at
returning hour
