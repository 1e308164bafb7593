-- The end of the days whose rows are due to leave the log at a moment: days before the horizon of every shard that are
-- past the retention of rows in force. A retention that became longer keeps days although the horizon has passed them.
create or replace function due_before(moment timestamptz)
returns timestamptz
language sql stable
as $$
    select least(
        min(h.horizon),
        date_trunc('day', $1, 'UTC')
            - make_interval(hours => 24 * (select r.log_days from retention_in_force as r))
    )
    from log_heads as h
$$;
