-- Records what a verification of an hour found.
-- $1 shard, $2 projection, $3 hour, $4 state, $5 events, $6 digest_high, $7 digest_low, all as witnessed
-- Rows: none.
insert into hour_proofs (shard, projection, hour, state, events, digest_high, digest_low, verified_at)
values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
on conflict (shard, projection, hour) do update set
    state = excluded.state,
    events = excluded.events,
    digest_high = excluded.digest_high,
    digest_low = excluded.digest_low,
    verified_at = excluded.verified_at
