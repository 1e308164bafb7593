-- Ends the filling of a version: makes all its edges from its member rows, and lets projectors fold it.
-- Rows: one, false when the version is not being filled.
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
    insert into hourly_edges (shard, version, kind, bucket, previous, members)
    select in_shard, in_version, chain.kind, chain.bucket, chain.previous, count(*)
    from (
        select
            m.kind,
            m.bucket,
            coalesce(lag(m.bucket) over (partition by m.kind, m.member order by m.bucket), '-infinity') as previous
        from hourly_members as m
        where m.shard = in_shard and m.version = in_version
    ) as chain
    group by chain.kind, chain.bucket, chain.previous;
    return true;
end
$$;
