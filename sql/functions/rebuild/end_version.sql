-- Ends a version of a projection that is not live: projectors stop folding it, and its rows can be deleted.
-- Rows: one, false when the version is live.
create or replace function end_version(in_projection text, in_version integer)
returns boolean
language plpgsql volatile
as $$
begin
    perform from projections as p where p.projection = in_projection for update;
    if exists (
        select from projections as p where p.projection = in_projection and p.live_version = in_version
    ) then
        return false;
    end if;
    -- Wait for any transaction that fills, folds or proves the version.
    perform from checkpoints as c
    where c.projection = in_projection and c.version = in_version
    order by c.shard
    for update;
    delete from checkpoints as c where c.projection = in_projection and c.version = in_version;
    return true;
end
$$;
