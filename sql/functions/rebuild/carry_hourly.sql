-- Copies an hour unchanged from one version to another, because it cannot be recounted. Folds both versions to one
-- position first.
-- Rows: one, the number of rows written.
create or replace function carry_hourly(in_shard integer, from_version integer, to_version integer, in_hour timestamptz)
returns bigint
language plpgsql volatile
as $$
declare
    behind record;
    target bigint;
begin
    perform from checkpoints as c
    where c.shard = in_shard and c.projection = 'hourly' and c.version in (from_version, to_version)
    order by c.version
    for update;
    -- Each checkpoint stands at the end of an append, so the greater position does, too.
    select max(c.position) into strict target
    from checkpoints as c
    where c.shard = in_shard and c.projection = 'hourly' and c.version in (from_version, to_version);
    for behind in
        select c.version, c.position
        from checkpoints as c
        where c.shard = in_shard and c.projection = 'hourly' and c.version in (from_version, to_version)
            and c.position < target
    loop
        perform apply_hourly(in_shard, behind.version, behind.position, target);
        update checkpoints as c
        set position = target
        where c.shard = in_shard and c.projection = 'hourly' and c.version = behind.version;
    end loop;
    return rebuild_hourly(in_shard, to_version, in_hour, from_version);
end
$$;
