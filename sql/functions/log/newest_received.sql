-- When the newest event of the log was received, by the database's clock; null without events. in_shards: null for all.
create or replace function newest_received(in_shards integer[] default null)
returns timestamptz
language plpgsql stable
as $$
begin
    return (
        select max(newest.received_at)
        from log_heads as h
        cross join lateral (
            select e.received_at
            from events as e
            where e.shard = h.shard
            order by e.position desc
            limit 1
        ) as newest
        where in_shards is null or h.shard = any (in_shards)
    );
end
$$;
