-- Writes the receipts of events that are in files of the archive alone, as if they had been appended hour by hour.
-- $1 last positions, $2 hours, $3 events, $4 position sums, $5 and $6 digests: one element per hour
-- Rows: none.
insert into receipts (shard, last_position, hour, events, position_sum, digest_high, digest_low)
select 0, n.last_position, n.hour, n.events, n.position_sum, n.digest_high, n.digest_low
from unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::numeric[], $5::numeric[], $6::numeric[]) as n (
    last_position, hour, events, position_sum, digest_high, digest_low
)
