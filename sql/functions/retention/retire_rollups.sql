-- Deletes a shard's rollups and ledger of the hours before a moment. All those hours are sealed, and their events are
-- gone.
-- The seals stay. Rows: one, false when a rebuild under way still needs the rollups.
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
    -- A user's first row stays as long as any shard has a later row of the user, so that the user is not counted as new
    -- again.
    delete from hourly_members as m
    where m.shard = in_shard and hour_of(m.bucket) < before
        and (
            m.kind <> 'user'
            or exists (
                select from hourly_members as earlier
                where (earlier.shard, earlier.version, earlier.kind, earlier.member) = (m.shard, m.version, m.kind, m.member)
                    and earlier.bucket < m.bucket
            )
            or not exists (
                select
                from log_heads as h
                join hourly_members as later
                    on (later.shard, later.version, later.kind, later.member) = (h.shard, m.version, m.kind, m.member)
                    and later.bucket >= before
            )
        );
    delete from hourly_documents as d where d.shard = in_shard and d.hour < before;
    delete from hour_proofs as p where p.shard = in_shard and p.hour < before;
    delete from hour_ledger as l where l.shard = in_shard and l.hour < before;
    delete from hourly_edges as e where e.shard = in_shard and e.bucket < before;
    -- A session's first remaining bucket now has no previous one. A user's has the bucket of the user's first row.
    with forgotten as (
        delete from hourly_edges as e
        where e.shard = in_shard and e.previous < before and e.previous > '-infinity'
        returning e.version, e.kind, e.bucket, e.members
    )
    insert into hourly_edges as e (shard, version, kind, bucket, previous, members)
    select in_shard, f.version, f.kind, f.bucket, '-infinity', sum(f.members)
    from forgotten as f
    where f.kind <> 'user'
    group by f.version, f.kind, f.bucket
    on conflict (shard, version, kind, bucket, previous) do update set members = e.members + excluded.members;
    insert into hourly_edges (shard, version, kind, bucket, previous, members)
    select in_shard, first.version, first.kind, edge.bucket, edge.previous, count(*)
    from hourly_members as first
    cross join lateral (
        select first.bucket, '-infinity'::timestamptz as previous
        union all
        (
            select next.bucket, first.bucket
            from hourly_members as next
            where (next.shard, next.version, next.kind, next.member)
                = (first.shard, first.version, first.kind, first.member)
                and next.bucket >= before
            order by next.bucket
            limit 1
        )
    ) as edge
    where first.shard = in_shard and hour_of(first.bucket) < before
    group by first.version, first.kind, edge.bucket, edge.previous;
    insert into shard_totals as t (shard, rollups_since)
    values (in_shard, before)
    on conflict (shard) do update set rollups_since = greatest(t.rollups_since, excluded.rollups_since);
    return true;
end
$$;
