-- Makes a version of a projection live, by updating one row. Rows: one, false when it is not filled in every shard.
create or replace function switch_version(in_projection text, to_version integer)
returns boolean
language plpgsql volatile
as $$
begin
    perform from projections as p where p.projection = in_projection for update;
    perform from checkpoints as c
    where c.projection = in_projection and c.version = to_version
    order by c.shard
    for update;
    if exists (
        select from log_heads as h
        where not exists (
            select from checkpoints as c
            where c.shard = h.shard and c.projection = in_projection and c.version = to_version and c.stage <> 'filling'
        )
    ) then
        return false;
    end if;
    update checkpoints as c
    set stage = 'complete'
    where c.projection = in_projection and c.version = to_version and c.stage <> 'complete';
    update projections as p set live_version = to_version where p.projection = in_projection;
    return true;
end
$$;
