-- Deletes a shard's rollups and ledger of the hours before a moment, all of them sealed and without events; the seals stay.
-- Rows: one, false when a rebuild that is under way still needs them.
create or replace function retire_rollups(in_shard integer, before timestamptz)
returns boolean
language plpgsql volatile
as $$
begin
    perform from checkpoints as c
    where c.shard = in_shard and c.stage <> 'filling'
    order by c.projection, c.version
    for update;
    if exists (select from checkpoints as c where c.shard = in_shard and c.stage <> 'complete') then
        return false;
    end if;
    delete from hourly_counts as c where c.shard = in_shard and c.hour < before;
    delete from hourly_sessions as s where s.shard = in_shard and hour_of(s.bucket) < before;
    delete from hourly_documents as d where d.shard = in_shard and d.hour < before;
    delete from hour_proofs as p where p.shard = in_shard and p.hour < before;
    delete from hour_ledger as l where l.shard = in_shard and l.hour < before;
    delete from hourly_edges as e where e.shard = in_shard and e.bucket < before;
    -- What sessions did before is forgotten: their first bucket now has none before it.
    with forgotten as (
        delete from hourly_edges as e
        where e.shard = in_shard and e.previous < before and e.previous > '-infinity'
        returning e.version, e.bucket, e.sessions
    )
    insert into hourly_edges as e (shard, version, bucket, previous, sessions)
    select in_shard, f.version, f.bucket, '-infinity', sum(f.sessions)
    from forgotten as f
    group by f.version, f.bucket
    on conflict (shard, version, bucket, previous) do update set sessions = e.sessions + excluded.sessions;
    insert into shard_totals as t (shard, rollups_since)
    values (in_shard, before)
    on conflict (shard) do update set rollups_since = greatest(t.rollups_since, excluded.rollups_since);
    return true;
end
$$;
