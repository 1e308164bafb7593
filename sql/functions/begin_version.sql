-- Begins the next version of a projection in every shard, at the position of the live one, or finds the one under way.
-- Rows: one, the version.
create or replace function begin_version(in_projection text)
returns integer
language plpgsql volatile
as $$
declare
    begun integer;
begin
    perform from projections as p where p.projection = in_projection for update;
    -- While the live checkpoints stand still, no receipt beyond them is compacted.
    perform from checkpoints as c
    where c.projection = in_projection
    order by c.shard, c.version
    for update;
    select max(c.version) into begun
    from checkpoints as c
    where c.projection = in_projection and c.stage <> 'complete';
    if begun is null then
        -- A number is not used twice: rows of a version that has ended may still be there.
        update projections as p
        set newest_version = p.newest_version + 1
        where p.projection = in_projection
        returning p.newest_version into begun;
        insert into checkpoints (shard, projection, version, position, stage)
        select c.shard, c.projection, begun, c.position, 'filling'
        from projections as p
        join checkpoints as c on c.projection = p.projection and c.version = p.live_version
        where p.projection = in_projection;
    end if;
    return begun;
end
$$;
