-- Gives another name to the member rows of an erasure in hours of a shard whose events are gone: a random text, the same in
-- all rows of the member. So the numbers stay, also those of distinct ones, and name nobody. The seals stay; an amendment of
-- each day says by how much the digest of its rows changed.
-- Rows: one (hindrance: why nothing was renamed, else null; members: how many rows of the live version were).
create or replace function rename_members(
    in_erasure bigint, in_shard integer, in_version integer, in_code_version text, clock timestamptz
)
returns table (hindrance text, members bigint)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    since constant timestamptz := rollups_since(in_shard);
    changed record;
begin
    perform from checkpoints as c
    where c.shard = in_shard and c.stage <> 'filling'
    order by c.projection, c.version
    for update;
    members := 0;
    if exists (select from checkpoints as c where c.shard = in_shard and c.stage <> 'complete') then
        hindrance := 'being rebuilt';
        return next;
        return;
    end if;
    for changed in
        select
            r.day,
            array_agg(distinct r.hour) as hours,
            sum(r.members) as members,
            json_agg(
                json_build_object(
                    'hour', hour_text(r.hour), 'members', r.members, 'rows_high', r.rows_high::text,
                    'rows_low', r.rows_low::text
                )
                order by r.hour
            ) as told
        from (
            select
                (hour_of(m.bucket) at time zone 'UTC')::date as day,
                hour_of(m.bucket) as hour,
                count(*) as members,
                -- As hourly_rows_digest leaves them out.
                coalesce(sum(digest_half(d.now, 1)::numeric - digest_half(d.before, 1)) filter (where d.is_sealed), 0)
                    as rows_high,
                coalesce(sum(digest_half(d.now, 9)::numeric - digest_half(d.before, 9)) filter (where d.is_sealed), 0)
                    as rows_low
            from erasing as t
            join hourly_members as m
                on m.shard = in_shard and m.version = in_version and m.member = t.id
                    and m.kind = any (members_of(t.kind))
            cross join lateral (
                select
                    member_digest(m.bucket, m.kind, t.alias) as now,
                    member_digest(m.bucket, m.kind, t.id) as before,
                    m.kind <> 'user' or hour_of(m.bucket) >= since as is_sealed
            ) as d
            where t.erasure = in_erasure and has_no_events(in_shard, (m.bucket at time zone 'UTC')::date)
            group by 1, 2
        ) as r
        group by r.day
        order by r.day
    loop
        insert into erasure_steps (shard, sequence, erasure, day)
        select in_shard, l.sequence, in_erasure, changed.day
        from next_link(in_shard) as l;
        update hourly_members as m
        set member = t.alias
        from erasing as t
        where t.erasure = in_erasure and m.shard = in_shard and m.member = t.id and m.kind = any (members_of(t.kind))
            and hour_of(m.bucket) = any (changed.hours);
        perform write_amendment(
            in_shard, changed.day, 'erasure', 'erasure ' || in_erasure, '', changed.told, in_code_version, clock
        );
        members := members + changed.members;
    end loop;
    -- Rows of an ended version are on their way out.
    delete from hourly_members as m
    using erasing as t
    where t.erasure = in_erasure and m.shard = in_shard and m.member = t.id and m.kind = any (members_of(t.kind))
        and not exists (
            select from checkpoints as c
            where c.shard = in_shard and c.projection = 'hourly' and c.version = m.version
        );
    -- A member with rows on both sides has become two.
    perform rebuild_hourly_edges(in_shard, c.version, touched.buckets)
    from checkpoints as c
    cross join lateral (
        select array_agg(distinct m.bucket) as buckets
        from erasing as t
        join hourly_members as m
            on m.shard = in_shard and m.version = c.version and m.member in (t.id, t.alias)
                and m.kind = any (members_of(t.kind))
        where t.erasure = in_erasure
    ) as touched
    where c.shard = in_shard and c.projection = 'hourly' and touched.buckets is not null;
    return next;
end
$$;
