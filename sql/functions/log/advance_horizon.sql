-- Moves a shard's horizon forward to where the retention puts it now. Rows: one, the horizon after that.
create or replace function advance_horizon(in_shard integer, retention_days integer, clock timestamptz)
returns timestamptz
language sql volatile
as $$
    update log_heads
    set horizon = horizon_at(horizon, $2, coalesce($3, clock_timestamp()))
    where shard = $1 and horizon < horizon_at(horizon, $2, coalesce($3, clock_timestamp()));
    select horizon from log_heads where shard = $1
$$;
