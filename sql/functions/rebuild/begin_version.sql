-- Begins the next version of a projection in every shard, at the position of the live version. Does nothing when a
-- rebuild is under way. Rows: one, the version being rebuilt.
create or replace function begin_version(in_projection text)
returns integer
language plpgsql volatile
as $$
declare
    live integer;
    begun integer;
begin
    select p.live_version into live from projections as p where p.projection = in_projection for update;
    select max(c.version) into begun
    from checkpoints as c
    where c.projection = in_projection and c.stage <> 'complete';
    if begun is not null then
        return begun;
    end if;
    -- While the live checkpoints are locked, no receipt beyond them is compacted.
    perform from checkpoints as c
    where c.projection = in_projection and c.version = live
    order by c.shard
    for update;
    -- A version's number is used only once, because rows of an ended version may still exist.
    update projections as p
    set newest_version = p.newest_version + 1
    where p.projection = in_projection
    returning p.newest_version into begun;
    insert into checkpoints (shard, projection, version, position, stage)
    select c.shard, c.projection, begun, c.position, 'filling'
    from checkpoints as c
    where c.projection = in_projection and c.version = live;
    return begun;
end
$$;
