-- Folds the next events of a shard into the projection and advances its checkpoint, in one statement (R3).
-- Folds about `limit_positions` positions at most. Rows: one (the checkpoint before and after), or none when another
-- projector holds the checkpoint or the version is being filled.
create or replace function fold_hourly(in_shard integer, in_version integer, limit_positions bigint)
returns table (folded_after bigint, folded_upto bigint)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    select c.position into folded_after
    from checkpoints as c
    where c.shard = in_shard and c.projection = 'hourly' and c.version = in_version and c.stage <> 'filling'
    for update skip locked;
    if not found then
        return;
    end if;

    -- Stop at the end of an append, so that the receipts beyond it give the days of the remaining events.
    select coalesce(min(r.last_position), log_head(in_shard)) into folded_upto
    from receipts as r
    where r.shard = in_shard and r.last_position >= folded_after + limit_positions;

    if folded_upto > folded_after then
        perform apply_hourly(in_shard, in_version, folded_after, folded_upto);
        update checkpoints as c
        set position = folded_upto
        where c.shard = in_shard and c.projection = 'hourly' and c.version = in_version;
    end if;
    return next;
end
$$;
