-- The earliest timestamp that a shard accepts: its horizon or, while that was never set, the start of the UTC day
-- `retention_days` before `moment`. Only retention moves a horizon, because it does not trust one clock alone (R13).
create or replace function horizon_at(stored timestamptz, retention_days integer, moment timestamptz)
returns timestamptz
language sql stable parallel safe
as $$
    select case
        when $1 > '-infinity' then $1
        else date_trunc('day', $3, 'UTC') - make_interval(hours => 24 * $2)
    end
$$;
