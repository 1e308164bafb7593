-- Ends the filling of a version: makes all its edges from its session rows. From then on projectors fold it.
-- Rows: one, false when that was done before.
create or replace function connect_hourly(in_shard integer, in_version integer)
returns boolean
language plpgsql volatile
as $$
begin
    update checkpoints as c
    set stage = 'proving'
    where c.shard = in_shard and c.projection = 'hourly' and c.version = in_version and c.stage = 'filling';
    if not found then
        return false;
    end if;
    insert into hourly_edges (shard, version, bucket, previous, sessions)
    select in_shard, in_version, chain.bucket, chain.previous, count(*)
    from (
        select
            s.bucket,
            coalesce(lag(s.bucket) over (partition by s.session_id order by s.bucket), '-infinity') as previous
        from hourly_sessions as s
        where s.shard = in_shard and s.version = in_version
    ) as chain
    group by chain.bucket, chain.previous;
    return true;
end
$$;
