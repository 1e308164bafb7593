-- Records what a verification of an hour found.
-- $1 shard, $2 projection, $3 version, $4 hour, $5 state, $6 events, $7 and $8 digest_high and digest_low of the
-- folded events, $9 clock or null, $10 JSON of what is wrong or null
-- Rows: none.
insert into hour_proofs (
    shard, projection, version, hour, state, events, digest_high, digest_low, verified_at, differences
)
values ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, clock_timestamp()), $10)
on conflict (shard, projection, version, hour) do update set
    state = excluded.state,
    events = excluded.events,
    digest_high = excluded.digest_high,
    digest_low = excluded.digest_low,
    verified_at = excluded.verified_at,
    differences = excluded.differences
