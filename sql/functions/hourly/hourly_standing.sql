-- Where the projection's live version stands in a shard: its checkpoint, the log's head, and the number of events
-- between.
-- Rows: one, none when there is no such shard.
create or replace function hourly_standing(in_shard integer)
returns table (version integer, folded bigint, head bigint, lag_events bigint)
language sql stable
as $$
    select
        c.version,
        c.position,
        log_head($1),
        (
            select coalesce(sum(r.events), 0)::bigint
            from receipts as r
            where r.shard = $1 and r.last_position > c.position
        )
    from projections as p
    join checkpoints as c on c.projection = p.projection and c.version = p.live_version
    where p.projection = 'hourly' and c.shard = $1
$$;
